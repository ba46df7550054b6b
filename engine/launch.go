package engine

// LaunchDir stands for the directory of a launch in Launch.Argv; the runtime
// puts the real path in its place.
const LaunchDir = "${LAUNCH_DIR}"

// Launch is everything that a backend is told when a model is started. It is a
// pure function of the desired model (Provider.Render); its digest is stored
// with the instance, so that any difference between what should run and what
// was started is seen, whatever its cause.
type Launch struct {
	Backend  string         `json:"backend"`
	Argv     []string       `json:"argv,omitempty"`
	Env      map[string]any `json:"env,omitempty"`      // declared: string or Secret
	Files    []File         `json:"files,omitempty"`    // copied into the launch directory
	Settings map[string]any `json:"settings,omitempty"` // told through an API instead of argv
	URL      string         `json:"url,omitempty"`      // base URL of the service or of the server once it runs
	Model    string         `json:"model"`              // path or tag that the backend is given
	Served   []string       `json:"served"`             // names it must answer to, first one first
	Host     string         `json:"host,omitempty"`
	Port     int            `json:"port,omitempty"`
	GPUs     []string       `json:"gpus,omitempty"`     // UUIDs when known, else the declared ids
	Artifact string         `json:"artifact,omitempty"` // identity of the bytes: revision or digest when known
}

// File is a file of a launch: its name in the launch directory, the digest of
// its bytes, and (in memory only) the bytes.
type File struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"`
	Content []byte `json:"-"`
}

// Digest identifies the launch: the SHA-256 over all of it as canonical JSON,
// lower-case hex.
func (l *Launch) Digest() string {
	d := digester{buf: make([]byte, 0, 1024)}
	d.raw("{")
	d.strings("argv", l.Argv)
	d.words("artifact", l.Artifact)
	d.words("backend", l.Backend)
	d.member("env", anyMap(l.Env))
	d.key("files")
	d.raw("{")
	for _, f := range l.Files {
		d.words(f.Name, f.SHA256)
	}
	d.raw("}")
	d.strings("gpus", l.GPUs)
	d.words("host", l.Host)
	d.words("model", l.Model)
	d.member("port", int64(l.Port))
	d.strings("served", l.Served)
	d.member("settings", anyMap(l.Settings))
	d.words("url", l.URL)
	d.raw("}")
	return d.sum()
}
