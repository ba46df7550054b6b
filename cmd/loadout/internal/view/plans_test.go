package view

import (
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

const gib = int64(1) << 30

func at(layer engine.LayerKind, file string, line int) engine.Origin {
	return engine.Origin{Layer: layer, File: file, Start: engine.Pos{Line: line, Column: 5, Byte: line * 30}}
}

func inModel(line int) engine.Origin { return at(engine.LayerModel, "models.hcl", line) }

func inServe(line int) engine.Origin { return at(engine.LayerServe, "workspaces/rtx4080.hcl", line) }

func inBackend(line int) engine.Origin {
	o := at(engine.LayerBackend, "models.hcl", line)
	o.Block = "vllm"
	return o
}

func changed(path string, before, after engine.Value, e engine.Effect, o engine.Origin, over ...engine.Override) engine.FieldChange {
	return engine.FieldChange{Path: path, Before: before, After: after, Effect: e, MovedBy: engine.MovedByConfig, Origin: o, Overrides: over}
}

func because(code engine.ReasonCode, paths ...string) []engine.Reason {
	if len(paths) == 0 {
		return []engine.Reason{{Code: code}}
	}
	var out []engine.Reason
	for _, p := range paths {
		out = append(out, engine.Reason{Code: code, Path: p})
	}
	return out
}

func secs(n float64) *float64 { return &n }

// planOf makes a plan of changes, counted.
func planOf(unchanged int, changes ...engine.Change) *engine.Plan {
	p := &engine.Plan{
		FormatVersion: engine.PlanVersion, Workspace: "rtx4080", Serial: 41, Lineage: "5f0c2a", Refreshed: true,
		Digest: "8c1e09f2" + strings.Repeat("0", 56), Changes: changes,
	}
	p.Summary.None = unchanged
	for i := range changes {
		tallyAction(&p.Summary, changes[i].Action)
	}
	for i := range unchanged {
		p.Unchanged = append(p.Unchanged, "same-"+string(rune('a'+i)))
	}
	return p
}

func tallyAction(s *engine.Summary, a engine.Action) {
	n := map[engine.Action]*int{
		engine.ActionCreate: &s.Create, engine.ActionUpdate: &s.Update, engine.ActionRestart: &s.Restart, engine.ActionReplace: &s.Replace,
		engine.ActionStop: &s.Stop, engine.ActionForget: &s.Forget, engine.ActionAdopt: &s.Adopt, engine.ActionNone: &s.None,
	}[a]
	*n++
}

func restart() engine.Change {
	return engine.Change{
		Model: "qwen2.5-vl-7b-instruct_(AWQ)", Action: engine.ActionRestart, Served: true, Backend: "vllm", GPUs: []string{"0"}, Port: 24001,
		Reasons:   because(engine.ReasonConfigChanged, "args.enforce_eager", "args.max_model_len", "chat_template", "roles.caption"),
		Unchanged: 11, Interrupts: true, Downtime: secs(95),
		Fields: []engine.FieldChange{
			changed("args.enforce_eager", nil, true, engine.EffectRestart, inModel(22)),
			changed("args.max_model_len", int64(2048), int64(4096), engine.EffectRestart, inModel(21),
				engine.Override{Value: int64(8192), Origin: inBackend(7)}),
			changed("chat_template", "{{ bos }}\n{% if tools %}\n{{ tools }}\n{% endif %}\n{% for m in messages %}\n{{ m.content }}\n{% endfor %}\n",
				"{{ bos }}\n{% if tools %}\n{{ tools }}\n{% endif %}\n{% for m in messages %}\n{{ m.images | length }} images\n{{ m.content }}\n{% endfor %}\n",
				engine.EffectRestart, inModel(30)),
			changed("roles.caption", int64(90), int64(95), engine.EffectHot, inModel(33)),
		},
	}
}

func create() engine.Change {
	return engine.Change{
		Model: "whisper-large-v3", Action: engine.ActionCreate, Served: true, Backend: "vllm", GPUs: []string{"0"}, Port: 24002,
		Reasons: because(engine.ReasonNew), NeedsBytes: 4 * gib, Launch: "beef",
		Desired: &engine.Model{Name: "whisper-large-v3", Origin: inModel(50), Serve: inServe(14)},
		Start:   &engine.Launch{Argv: []string{"vllm", "serve", "/models/whisper large", "--max-model-len", "448"}},
		Fields: []engine.FieldChange{
			changed("aliases", nil, []any{"stt/default"}, engine.EffectHot, inModel(52)),
			changed("args.max_model_len", nil, int64(448), engine.EffectRestart, inModel(53)),
			changed("args.max_num_seqs", nil, int64(16), engine.EffectRestart, inModel(54)),
			changed("backend", nil, "vllm", engine.EffectReplace, inModel(51)),
			changed("env.HF_TOKEN", nil, engine.NewSecret("rtx4080", "hf_canary"), engine.EffectRestart, inModel(55)),
			changed("facts.revision", nil, "06f233fe06e710322aca913c1bc4249a0d71fce1", engine.EffectReplace, engine.Origin{Layer: engine.LayerDiscovered, File: "discovered.json"}),
			changed("facts.weight_bytes", nil, int64(3087007744), engine.EffectReplace, engine.Origin{Layer: engine.LayerDiscovered, File: "discovered.json"}),
			changed("gpus", nil, []any{"0"}, engine.EffectRestart, inServe(15)),
			changed("host", nil, "127.0.0.1", engine.EffectRestart, engine.Origin{Layer: engine.LayerDefault}),
			changed("port", nil, int64(24002), engine.EffectRestart, inServe(16)),
			changed("source", nil, "hf://openai/whisper-large-v3", engine.EffectReplace, inModel(50)),
		},
	}
}

func crashed() engine.Change {
	return engine.Change{
		Model: "tiny-llama", Action: engine.ActionRestart, Served: true, Backend: "ollama",
		Reasons:   []engine.Reason{{Code: engine.ReasonProcessGone, Detail: "process 4242 is gone"}},
		Unchanged: 9,
	}
}

func stop() engine.Change {
	return engine.Change{
		Model: "old-chat", Action: engine.ActionStop, Backend: "vllm", GPUs: []string{"0"}, Port: 24009,
		Reasons: because(engine.ReasonRemoved), Interrupts: true, FreesBytes: 51 * gib / 10,
		Running:  &engine.Instance{Model: "old-chat", Pid: 77},
		Previous: &engine.Entry{Name: "old-chat", Origins: map[string]string{"source": "models.hcl:60"}},
		Fields: []engine.FieldChange{{
			Path: "port", Before: int64(24009), Effect: engine.EffectRestart, MovedBy: engine.MovedByConfig,
			Overrides: []engine.Override{{Value: int64(24009), Origin: engine.Origin{File: "workspaces/rtx4080.hcl:30"}}},
		}},
	}
}

func forget() engine.Change {
	return engine.Change{
		Model: "handed-over", Action: engine.ActionForget, Reasons: because(engine.ReasonRemoved),
		Running: &engine.Instance{Model: "handed-over", Pid: 812},
	}
}

func adopt() engine.Change {
	c := create()
	c.Model, c.Action, c.Reasons, c.NeedsBytes = "strays", engine.ActionAdopt, because(engine.ReasonAdopted), 0
	c.Adopt = &engine.Adoption{Model: "strays", Pid: 5555, Origin: inServe(40)}
	return c
}

func updateHot() engine.Change {
	return engine.Change{
		Model: "gemma", Action: engine.ActionUpdate, Served: true, Reasons: because(engine.ReasonConfigChanged, "aliases", "roles.chat"), Unchanged: 12,
		Fields: []engine.FieldChange{
			changed("aliases", []any{"chat/a", "chat/b", "chat/c"}, []any{"chat/a", "chat/c", "chat/d"}, engine.EffectHot, inModel(8)),
			{
				Path: "roles.chat", Before: int64(10), Effect: engine.EffectHot, MovedBy: engine.MovedByConfig,
				Overrides: []engine.Override{{Value: int64(10), Origin: engine.Origin{File: "models.hcl:9"}}},
			},
		},
	}
}

func reload() engine.Change {
	return engine.Change{
		Model: "phi", Action: engine.ActionUpdate, Served: true, Backend: "ollama", Reasons: because(engine.ReasonConfigChanged, "keep_alive"), Unchanged: 5,
		Fields: []engine.FieldChange{changed("keep_alive", "10m", "1h", engine.EffectReload, inModel(70))},
	}
}

func replaced() engine.Change {
	return engine.Change{
		Model: "llama70b", Action: engine.ActionReplace, Served: true, Backend: "vllm", GPUs: []string{"0", "1"}, Interrupts: true,
		Reasons: append(because(engine.ReasonConfigChanged, "source"), because(engine.ReasonFactsChanged, "facts.weight_bytes")...),
		Fields: []engine.FieldChange{
			changed("source", "hf://meta-llama/Llama-3.1-70B-Instruct@945c8663693130f8be2ee66210e062158b2a9693", "hf://meta-llama/Llama-3.3-70B-Instruct@6f6073b423013f6a7d4d9f39144961bfbfbc386b", engine.EffectReplace, inModel(80)),
			changed("facts.weight_bytes", int64(141107412992), int64(141107413000), engine.EffectReplace, engine.Origin{Layer: engine.LayerDiscovered, File: "discovered.json", Block: "model.safetensors.index.json"}),
		},
	}
}

func register() engine.Change {
	return engine.Change{
		Model: "catalog-only", Action: engine.ActionCreate, Reasons: because(engine.ReasonNew),
		Desired: &engine.Model{Origin: inModel(90)},
		Fields:  []engine.FieldChange{changed("source", nil, "file:///srv/models/x", engine.EffectReplace, inModel(91))},
	}
}

func world() engine.Change {
	return engine.Change{
		Model: "mistral", Action: engine.ActionRestart, Served: true, Interrupts: true, Unchanged: 8,
		Reasons: append(because(engine.ReasonProcessDiffers, "args.max_num_seqs"), because(engine.ReasonConfigChanged, "args.dtype")...),
		Fields: []engine.FieldChange{
			{Path: "args.dtype", Before: "float16", After: "bfloat16", Effect: engine.EffectRestart, MovedBy: engine.MovedByBoth, Origin: inModel(41)},
			{Path: "args.max_num_seqs", Before: int64(64), After: int64(16), Effect: engine.EffectRestart, MovedBy: engine.MovedByWorld, Origin: inModel(40)},
		},
	}
}

func arguments70() engine.Change {
	return engine.Change{
		Model: "deepseek", Action: engine.ActionRestart, Served: true, Interrupts: true, Downtime: secs(412),
		Reasons: because(engine.ReasonConfigChanged, "args.compilation_config", "extra_args", "env.HF_TOKEN"),
		Fields: []engine.FieldChange{
			changed("args.compilation_config", `{"level":2,"mode":"full","sizes":[1,2]}`, `{"mode": "full", "level": 3, "sizes": [1, 2], "cache_dir": "/tmp/c"}`, engine.EffectRestart, inModel(3)),
			changed("env.HF_TOKEN", engine.NewSecret("w", "canary one"), engine.NewSecret("w", "canary two"), engine.EffectRestart, inModel(4)),
			changed("extra_args", []any{"--tp", "4", "--seed=7", "--max-loras", "2", "--enforce-eager"},
				[]any{"--max-loras", "2", "--tp", "8", "--stop", "a b", "--bias", "-1"}, engine.EffectRestart, inModel(5)),
		},
	}
}

func hostile() engine.Change {
	c := restart()
	c.Model = "eve\x1b[2J\r\n\u202egpj.exe"
	c.Reasons = []engine.Reason{{Code: engine.ReasonHung, Detail: "no token\x07 after\n60 s"}}
	c.Fields = []engine.FieldChange{
		changed("args[\"a\\nb\"]", "plain", "\x1b]0;owned\x07", engine.EffectRestart, inModel(1)),
		changed("chat_template", "a\nb\n", "a\nb\x1b[31m \n", engine.EffectRestart, inModel(2)),
	}
	return c
}

func unicodeNames() engine.Change {
	c := crashed()
	c.Model = "通义千问-模型"
	return c
}

func budget(detected bool, used, after int64) engine.GPUBudget {
	return engine.GPUBudget{
		GPU:   engine.GPU{ID: "0", Name: "NVIDIA GeForce RTX 4080", Memory: 16 * gib, Reserve: 2 * gib, Used: used, Detected: detected},
		After: after, Users: []string{"qwen2.5-vl-7b-instruct_(AWQ)"},
	}
}
