package ollamatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BinaryVariable names the environment variable with the path of a real ollama.
const BinaryVariable = "LOADOUT_OLLAMA"

// Real starts a real service with an empty store on a free port of the loopback
// interface and returns its URL. It is stopped when the test ends. Without
// BinaryVariable the test is skipped.
func Real(t testing.TB) string {
	t.Helper()
	binary := os.Getenv(BinaryVariable)
	if binary == "" {
		t.Skipf("no real Ollama: set %s to the path of its binary to run this test against it", BinaryVariable)
	}
	dir := t.TempDir()
	address := freeAddress(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "serve")
	cmd.Env = append(os.Environ(), "HOME="+dir, "OLLAMA_HOST="+address, "OLLAMA_MODELS="+filepath.Join(dir, "store"),
		"OLLAMA_NO_CLOUD=1", "OLLAMA_MAX_LOADED_MODELS=2", "OLLAMA_NUM_PARALLEL=1", "OLLAMA_CONTEXT_LENGTH=512")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { stop(cmd, ended); _ = log.Close() })
	url := "http://" + address
	if err := await(url, ended); err != nil {
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("%v\n%s", err, text)
	}
	return url
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func await(url string, ended <-chan struct{}) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if resp, err := http.Get(url + "/api/version"); err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ended:
			return fmt.Errorf("ollama serve ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("ollama serve does not answer")
}

func stop(cmd *exec.Cmd, ended <-chan struct{}) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// Import makes a model of the service at url out of the files in dir (weights in
// Hugging Face's layout), through its API. Give num_thread 1 on a machine that
// is busy: the threads of a tiny model only wait for each other.
func Import(t testing.TB, url, name, dir string, parameters map[string]any) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = "sha256:" + hash(string(b))
		Call(t, http.MethodPost, url+"/api/blobs/"+files[e.Name()], b)
	}
	Post(t, url+"/api/create", map[string]any{"model": name, "files": files, "parameters": parameters})
}

// Post sends v as JSON and fails the test on any error, also one in a stream.
func Post(t testing.TB, url string, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return Call(t, http.MethodPost, url, b)
}

// Call sends a request and returns the answer's text; a refusal, or an error in
// a stream, fails the test.
func Call(t testing.TB, method, url string, body []byte) string {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 300 || strings.Contains(string(b), `{"error"`) {
		t.Fatalf("%s %s: %s %s", method, url, resp.Status, b)
	}
	return string(b)
}
