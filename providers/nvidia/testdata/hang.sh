# Stands in for a driver that hangs. The child that keeps the output open is in
# a session of its own, out of reach of a KILL to the group; its pid goes to $1.
setsid sh -c 'echo $$ >"$0.tmp"; mv "$0.tmp" "$0"; exec sleep 30' "$1" &
sleep 30
