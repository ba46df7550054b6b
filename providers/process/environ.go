package process

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loadoutdev/loadout/engine"
)

// passed are the variables that a process gets from the environment of Loadout.
// Everything else that it sees was declared: backends read settings from the
// environment too, and those must not depend on who typed the command.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "LD_LIBRARY_PATH",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY",
	"http_proxy", "https_proxy", "no_proxy", "all_proxy", "ftp_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// Passed tells whether a variable of Loadout's own environment reaches the
// processes that it starts.
func Passed(name string) bool {
	return slices.Contains(passed, name) || strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "XDG_")
}

// Reserved tells whether a variable is set by Loadout for every process (or,
// CUDA_VISIBLE_DEVICES, for every process with declared GPUs) and therefore
// cannot be declared. The answer is the attribute to use instead, or why not.
func Reserved(name string, gpus bool) (instead string, reserved bool) {
	switch name {
	case TokenVar:
		return "Loadout recognizes its processes by it", true
	case "TMPDIR":
		return "each launch has a temporary directory of its own, removed after its end", true
	case "CUDA_VISIBLE_DEVICES":
		return "the serve block says gpus already", gpus
	}
	return "", false
}

// Environment is exactly what the process of a launch will see, sorted: the
// pass-list from host, then the declared variables, then ours. A secret of
// which only the hash is known is an error.
func Environment(l engine.Launch, host []string, opt engine.StartOptions, tmp string) ([]string, error) {
	env := map[string]string{}
	for _, w := range host {
		if name, value, ok := strings.Cut(w, "="); ok && Passed(name) {
			env[name] = value
		}
	}
	for name, v := range l.Env {
		plain, err := plainText(v)
		if err != nil {
			return nil, fmt.Errorf("env.%s: %w", name, err)
		}
		env[name] = plain
	}
	if len(l.GPUs) > 0 {
		names := visible(l.GPUs, opt.Devices)
		env["CUDA_VISIBLE_DEVICES"] = strings.Join(names, ",")
		if _, declared := env["CUDA_DEVICE_ORDER"]; !declared && slices.ContainsFunc(names, isIndex) {
			env["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID" // the order in which nvidia-smi counts
		}
	}
	env["TMPDIR"] = tmp
	env[TokenVar] = opt.Token
	words := make([]string, 0, len(env))
	for name, value := range env {
		words = append(words, name+"="+value)
	}
	slices.Sort(words)
	return words, nil
}

// visible names GPUs by UUID where it is known: numbers move when a card does.
func visible(ids []string, devices map[string]string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = cmp.Or(devices[id], id)
	}
	return names
}

// isIndex: a number, not a UUID such as GPU-… or MIG-….
func isIndex(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

func plainText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case engine.Secret:
		plain, ok := v.Reveal()
		if !ok {
			return "", fmt.Errorf("the secret is known by its hash only")
		}
		return plain, nil
	}
	return "", fmt.Errorf("%s is not a string", engine.FormatValue(v))
}
