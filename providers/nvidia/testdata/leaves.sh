# Answers and ends, but leaves a child that holds the output open.
setsid sh -c 'echo $$ >"$0.tmp"; mv "$0.tmp" "$0"; exec sleep 30' "$1" &
until [ -s "$1" ]; do sleep 0.01; done
echo "0, GPU-1, 16376, 1, 16375, NVIDIA GeForce RTX 4080"
