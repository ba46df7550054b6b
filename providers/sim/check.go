package sim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// checkFlags makes the checks between flags that vLLM makes before anything
// else: before the log's first line.
func checkFlags(p parsed, env environment) error {
	if p.on("enable_auto_tool_choice") && p.values["tool_call_parser"] == nil {
		return raise("TypeError", "Error: --enable-auto-tool-choice requires --tool-call-parser")
	}
	if err := refuse(p); err != nil {
		return err
	}
	if chat := p.text("chat_template"); chat != "" && !strings.ContainsAny(chat, "{}\n") {
		if _, err := os.Stat(chat); err != nil {
			return raise("vllm.exceptions.VLLMValidationError", "The supplied chat template string (%s) appears path-like, "+
				"but doesn't exist! Tried: %s and %s (parameter=chat_template)", chat, chat, chat)
		}
	}
	if unknown := unknownVariables(env); p.on("fail_on_environ_validation") && len(unknown) > 0 {
		return raise("ValueError", "Unknown vLLM environment variable detected: %s", unknown[0])
	}
	return nil
}

// refuse is honest about the inputs that would change what is served and that
// the stand-in does not have.
func refuse(p parsed) error {
	for _, dest := range []string{"uds", "headless", "grpc"} {
		if p.text(dest) != "" || p.on(dest) {
			return raise("NotImplementedError", "the stand-in for vLLM has no --%s", dest)
		}
	}
	if config := p.text("config"); config != "" {
		return refuseConfig(config)
	}
	return nil
}

func refuseConfig(path string) error {
	if ext := filepath.Ext(path); ext != ".yaml" && ext != ".yml" {
		return raise("ValueError", "Config file must be of a yaml/yml type. %s supplied", strings.TrimPrefix(ext, "."))
	}
	if _, err := os.Stat(path); err != nil {
		return raise("FileNotFoundError", "[Errno 2] No such file or directory: %s", pythonString(path))
	}
	return raise("NotImplementedError", "the stand-in for vLLM does not read --config files: write the flags on the command line")
}

// unknownVariables lists the VLLM_ variables that vLLM does not know.
func unknownVariables(env environment) (unknown []string) {
	known := names("variables")
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "VLLM_") && !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// checkNames refuses parsers that do not exist. A tool parser is looked at only
// when tools are on.
func checkNames(p parsed) error {
	tool, tools := p.text("tool_call_parser"), names("tool_call_parsers")
	if p.on("enable_auto_tool_choice") && !slices.Contains(tools, tool) && p.text("tool_parser_plugin") == "" {
		return raise("KeyError", "'invalid tool call parser: %s (chose from { %s })'", tool, strings.Join(tools, ","))
	}
	reasoning, parsers := p.text("reasoning_parser"), names("reasoning_parsers")
	if reasoning != "" && !slices.Contains(parsers, reasoning) && p.text("reasoning_parser_plugin") == "" {
		return raise("KeyError", `"Reasoning parser '%s' not found. Available parsers: %s"`, reasoning, strings.Join(parsers, ", "))
	}
	return nil
}

// findModel turns the model argument into a directory. Nothing is downloaded.
func findModel(model string) (string, error) {
	if info, err := os.Stat(model); err == nil && info.IsDir() {
		return model, nil
	}
	if strings.Count(model, "/") > 1 || strings.HasPrefix(model, "/") || strings.HasPrefix(model, ".") {
		return "", raise("huggingface_hub.errors.HFValidationError", "Repo id must be in the form 'repo_name' or 'namespace/repo_name': %s. "+
			"Use `repo_type` argument if needed.", pythonString(model))
	}
	return "", raise("huggingface_hub.errors.LocalEntryNotFoundError", "Cannot find an appropriate cached snapshot folder for the specified revision "+
		"on the local disk and outgoing traffic has been disabled. To enable repo look-ups and downloads online, pass 'local_files_only=False' as input.")
}

// checkModel makes the checks between flags and the model's configuration and
// gives the context length to serve with.
func checkModel(p parsed, o options, c *checkpoint, env environment) (int64, error) {
	l := c.config.language()
	if len(c.config.AutoMap) > 0 && !p.on("trust_remote_code") {
		return 0, validation("ModelConfig", "The repository %s contains custom code which must be executed to correctly load the model. "+
			"You can inspect the repository content at %s .\nPlease pass the argument `trust_remote_code=True` to allow custom code to be run.", c.dir, c.dir)
	}
	if method := p.text("quantization"); method != "" {
		if err := checkQuantization(method, c); err != nil {
			return 0, err
		}
	}
	if o.maxLen > l.Context && l.Context > 0 && env.get("VLLM_ALLOW_LONG_MAX_MODEL_LEN") != "1" {
		return 0, validation("ModelConfig", "User-specified max_model_len (%d) is greater than the derived max_model_len "+
			"(max_position_embeddings=%s or model_max_length=None in model's config.json). To allow overriding this maximum, "+
			"set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1. VLLM_ALLOW_LONG_MAX_MODEL_LEN must be used with extreme caution. "+
			"If the model uses relative position encoding (RoPE), positions exceeding derived_max_model_len lead to nan. "+
			"If the model uses absolute position encoding, positions exceeding derived_max_model_len will cause a CUDA array out-of-bounds error.",
			o.maxLen, pythonFloat(float64(l.Context)))
	}
	if l.Heads > 0 && l.Heads%int64(o.tensors) != 0 {
		return 0, validation("VllmConfig", "Total number of attention heads (%d) must be divisible by tensor parallel size (%d).", l.Heads, o.tensors)
	}
	if o.maxLen > 0 {
		return o.maxLen, nil
	}
	return l.Context, nil
}

func checkQuantization(method string, c *checkpoint) error {
	known := names("quantization_methods")
	if !slices.Contains(known, method) {
		return validation("ModelConfig", "Unknown quantization method: %s. Must be one of [%s].", method, pythonList(known))
	}
	if offline := []string{"awq", "auto_awq", "awq_marlin", "gptq", "auto_gptq", "gptq_marlin", "compressed-tensors"}; slices.Contains(offline, method) && len(c.config.Quantization) == 0 {
		return validation("VllmConfig", "Cannot find the config file for %s", strings.TrimPrefix(method, "auto_"))
	}
	return nil
}

// hasChatTemplate says whether chat requests can be answered.
func hasChatTemplate(o options, dir string) bool {
	if o.chat != "" {
		return true
	}
	if _, err := os.Stat(filepath.Join(dir, "chat_template.jinja")); err == nil {
		return true
	}
	var config struct {
		Template json.RawMessage `json:"chat_template"`
	}
	raw, err := readBounded(filepath.Join(dir, "tokenizer_config.json"), maxConfig)
	return err == nil && json.Unmarshal(raw, &config) == nil && len(config.Template) > 0
}
