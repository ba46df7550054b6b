package vllm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/providers/process"
)

// Inspect finds out what became of an instance and how it differs from what was
// launched. It asks the server questions and changes nothing.
func (*Provider) Inspect(ctx context.Context, in engine.Instance, opt engine.InspectOptions) (engine.Live, error) {
	id, err := identify(in, opt.StateDir)
	if err != nil {
		return engine.Live{}, err
	}
	live := engine.Live{Instance: in}
	if live.LaunchDigest == "" {
		live.LaunchDigest = in.Launch.Digest()
	}
	live.Pid, live.StartTime, live.BootID = id.Pid, id.StartTime, id.BootID
	seen, err := id.Look()
	if err != nil {
		return engine.Live{}, err
	}
	switch seen.Standing {
	case process.Gone, process.Foreign:
		live.Instance = in
		live.State, live.Detail = engine.StateGone, seen.Detail
	case process.Elsewhere:
		live.State, live.Detail = engine.StateForeign, seen.Detail
	case process.Orphans:
		live.State, live.Detail = engine.StateOrphan, seen.Detail
	case process.Running:
		i := inspection{live: &live, seen: seen, opt: opt}
		i.run(ctx)
	}
	return live, nil
}

// identify completes what is known of an instance: found by its token, or a
// stranger of which somebody gave the pid.
func identify(in engine.Instance, stateDir string) (process.Identity, error) {
	id, err := locate(in, stateDir)
	if err != nil || id.StartTime != 0 || id.Pid == 0 || id.Token != "" {
		return id, err
	}
	p, alive := process.Lookup(id.Pid)
	if !alive {
		return process.Identity{}, nil
	}
	id.StartTime = p.Start
	id.BootID, err = process.BootID()
	return id, err
}

// inspection is one Inspect of a running leader.
type inspection struct {
	live *engine.Live
	seen process.Sighting
	opt  engine.InspectOptions
}

func (i *inspection) run(ctx context.Context) {
	if i.live.StartedAt.IsZero() {
		i.live.StartedAt = startedAt(i.live.Pid)
	}
	if i.opt.Timeout <= 0 {
		i.opt.Timeout = 5 * time.Second
	}
	argv := process.Argv(i.live.Pid)
	i.live.Argv = redact(argv)
	i.readArgv(argv)
	i.readArtifact()
	if i.listening() {
		i.ask(ctx, newClient(i.live.Launch.URL, keyOf(i.live.Pid, argv)))
	}
}

func (i *inspection) set(s engine.State, format string, args ...any) {
	i.live.State, i.live.Detail = s, fmt.Sprintf(format, args...)
}

func (i *inspection) differ(code engine.ReasonCode, path string, snapshot, live engine.Value) {
	i.live.Mismatches = append(i.live.Mismatches, engine.Mismatch{Code: code, Path: path, Snapshot: snapshot, Live: live})
}

// readArgv compares the command line with the one that was launched. How the
// same setting is spelled makes no difference for what was adopted; what we
// launched must stand there word for word.
func (i *inspection) readArgv(argv []string) {
	in := i.live.Instance
	told := inDir(in.Launch.Argv, filepath.Join(i.opt.StateDir, in.Dir))
	now, ok := cut(argv, in.Launch.Model)
	if !ok {
		i.differ(engine.ReasonProcessDiffers, "command", wordsValue(told), wordsValue(i.live.Argv))
		return
	}
	now.model = resolved(i.live.Pid, now.model)
	i.live.Fields = now.fields()
	defer i.readTemplate()
	was, ok := cut(told, in.Launch.Model)
	if !ok {
		return // a stranger: nothing was launched
	}
	different := differences(was.fields(), i.live.Fields)
	i.live.Mismatches = append(i.live.Mismatches, different...)
	if len(different) == 0 && !in.Adopted && !slices.Equal(was.words, now.words) {
		i.differ(engine.ReasonProcessDiffers, "command", wordsValue(told), wordsValue(i.live.Argv))
	}
}

// resolved is the model as the process means it: a folder, relative to where it
// was started, goes before a name on the hub.
func resolved(pid int, model string) string {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil || filepath.IsAbs(model) {
		return model
	}
	path := filepath.Join(cwd, model)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return model
	}
	return path
}

// readTemplate shows the chat template of the launch as the attribute that it
// came from, not as the path of its copy.
func (i *inspection) readTemplate() {
	const flag = "args.chat_template"
	path := filepath.Join(i.opt.StateDir, i.live.Dir, templateFile)
	if i.live.Dir == "" || i.live.Fields[flag] != path {
		return
	}
	delete(i.live.Fields, flag)
	if text, err := os.ReadFile(path); err == nil {
		i.live.Fields["chat_template"] = string(text)
	}
}

func wordsValue(words []string) engine.Value {
	list := make([]any, len(words))
	for i, w := range words {
		list[i] = w
	}
	return list
}

func (i *inspection) readArtifact() {
	was := i.live.Artifact
	if was == "" {
		return
	}
	if now := fingerprint(i.live.Launch.Model); now != was {
		i.differ(engine.ReasonArtifactChanged, "artifact", was, now)
	}
}

// listening: the port is ours. Otherwise the state says what is wrong.
func (i *inspection) listening() bool {
	l := i.live.Launch
	who, stranger, err := i.seen.Listens(l.Host, l.Port)
	switch {
	case err != nil:
		i.set(engine.StateUnknown, "%v", err)
	case who == process.Ours:
		return true
	case who == process.Silent && i.live.ReadySeconds > 0:
		i.set(engine.StateHung, "it lives, and no longer listens on port %d", l.Port)
	case who == process.Silent:
		i.set(engine.StateStarting, "it does not listen on port %d yet", l.Port)
	case who == process.Theirs:
		i.set(engine.StateWrong, "port %d is served by %s", l.Port, stranger)
	default:
		i.set(engine.StateWrong, "port %d is shared with %s", l.Port, stranger)
	}
	return false
}

// ask talks to the server; it is ready when it passes everything.
func (i *inspection) ask(ctx context.Context, c *client) {
	asked, cancel := context.WithTimeout(ctx, i.opt.Timeout)
	defer cancel()
	have, err := c.models(asked)
	if err != nil {
		i.set(engine.StateHung, "GET /v1/models: %v", err)
		return
	}
	i.live.Served = ids(have)
	if lack := missing(i.live.Launch.Served, have); len(lack) > 0 {
		i.differ(engine.ReasonAnswersDifferently, "served_name", wordsValue(i.live.Launch.Served), wordsValue(i.live.Served))
		i.set(engine.StateWrong, "it lists %s and not %s", strings.Join(i.live.Served, ", "), strings.Join(lack, ", "))
		return
	}
	i.compareLength(have)
	if well, err := c.healthy(asked); err != nil || !well {
		i.set(engine.StateHung, "/health says that the engine is dead")
		return
	}
	if i.opt.Generate {
		i.generate(ctx, c)
		return
	}
	i.set(engine.StateReady, "")
}

// compareLength compares the context that the server tells with the one that it
// was told to have.
func (i *inspection) compareLength(have []listed) {
	want, ok := Size(plain(i.live.Fields["args.max_model_len"]))
	if !ok || want <= 0 {
		return
	}
	for _, l := range have {
		if l.ID == i.live.Launch.Served[0] && l.MaxModelLen != 0 && l.MaxModelLen != want {
			i.differ(engine.ReasonAnswersDifferently, "args.max_model_len", want, l.MaxModelLen)
		}
	}
}

// keyOf is the API key that a running server accepts: from its environment, or
// from its command line when somebody else has started it.
func keyOf(pid int, argv []string) string {
	flags, _ := scan(argv)
	for _, g := range flags {
		if g.flag != nil && g.flag.Name == "api_key" && len(g.values) > 0 {
			return g.values[0]
		}
	}
	env, err := process.Environ(pid)
	if err != nil {
		return ""
	}
	return env["VLLM_API_KEY"]
}

// startedAt is when a process was started; zero when it cannot be told.
func startedAt(pid int) time.Time {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return time.Time{}
	}
	stat, err := p.Stat()
	if err != nil {
		return time.Time{}
	}
	seconds, err := stat.StartTime()
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
