// Package vllm runs models on vLLM's OpenAI server ("vllm serve"): it makes the
// command line, checks it against vLLM's own flags, starts the server and proves
// that it serves, reads back what runs, and says why a start failed.
//
// It never trusts /health or an exit status alone (a server with a dead or hung
// engine passes both), never decides whether a model should run, and never
// touches a process that it cannot prove to be the instance. What it knows about
// vLLM was measured on version 0.32.0; see flags-0.32.0.json.
package vllm
