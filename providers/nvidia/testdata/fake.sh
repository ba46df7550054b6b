# Stands in for nvidia-smi: fake.sh RECORDING STATUS QUERY FORMAT prints a
# recorded answer, RECORDING-gpus.csv or RECORDING-apps.csv beside this file.
case "$3" in
--query-gpu=index,*) kind=gpus ;;
--query-compute-apps=gpu_uuid,*) kind=apps ;;
*) echo "Field \"$3\" is not a valid field to query."; exit 2 ;;
esac
[ "$4" = "--format=csv,noheader,nounits" ] || exit 2
cat "${0%/*}/$1-$kind.csv"
exit "$2"
