// Package artifact reads facts about model weights where they lie: safetensors
// models in plain directories and in Hugging Face hub caches. It gives the
// discovered layer and reads and writes its document, discovered.json.
//
// It reads headers and small side files only, never tensor data, and only below
// the directories that it was told to scan: a link that leaves them, a pipe or a
// device is reported and never opened. It changes nothing that it scans, uses no
// network and keeps no clock: the same bytes on disk give the same document.
//
// Formats: the cache layout of huggingface_hub, the safetensors file format,
// config.json and its neighbors as transformers and vLLM read them.
package artifact
