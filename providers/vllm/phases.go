package vllm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// milestone is a text that vLLM logs when it enters a phase.
type milestone struct{ text, phase string }

// milestones in the order in which they are tried; the texts are those of
// vLLM 0.32.0 on GPU and CPU.
var milestones = []milestone{
	{"non-default args:", "resolving the configuration"},
	{"Initializing a V1 LLM engine", "starting the engine"},
	{"Starting to load model", "loading weights"},
	{"Loading weights took", "profiling"},
	{"Model loading took", "profiling"},
	{"Compiling a graph", "compiling"},
	{"torch.compile takes", "compiling"},
	{"Dynamo bytecode transform", "compiling"},
	{"Available KV cache memory", "allocating the KV cache"},
	{"KV cache size:", "allocating the KV cache"},
	{"GiB for KV cache", "allocating the KV cache"},
	{"Graph capturing finished", "warming up"},
	{"Starting vLLM server on", "starting the server"},
}

var (
	shards = regexp.MustCompile(`Loading .*checkpoint shards:\s*\d+% Completed \| (\d+)/(\d+)`)
	graphs = regexp.MustCompile(`Capturing CUDA graphs?[^:]*:\s*(\d+)%`)
)

// firstPhase: nothing is logged while Python imports, for 8 to 25 seconds.
const firstPhase = "importing"

// phaseOf reads what a line of the log says about the start; ok is false for a
// line that says nothing about it. The fraction is of the phase, negative when
// unknown.
func phaseOf(line string) (p engine.Progress, ok bool) {
	if m := shards.FindStringSubmatch(line); m != nil {
		done, _ := strconv.ParseFloat(m[1], 64)
		all, _ := strconv.ParseFloat(m[2], 64)
		return engine.Progress{Phase: "loading weights " + m[1] + "/" + m[2], Fraction: done / max(all, 1)}, true
	}
	if m := graphs.FindStringSubmatch(line); m != nil {
		percent, _ := strconv.ParseFloat(m[1], 64)
		return engine.Progress{Phase: "capturing graphs", Fraction: percent / 100}, true
	}
	for _, m := range milestones {
		if strings.Contains(line, m.text) {
			return engine.Progress{Phase: m.phase, Fraction: -1}, true
		}
	}
	return engine.Progress{}, false
}
