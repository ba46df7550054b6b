package vllm

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// A server that does not answer in time is hung only if nobody else gets tokens.
func TestBusyIsNotHung(t *testing.T) {
	for name, tt := range map[string]struct {
		grows bool
		want  engine.State
	}{"busy": {true, engine.StateReady}, "hung": {false, engine.StateHung}} {
		t.Run(name, func(t *testing.T) {
			var count atomic.Int64
			never := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/metrics" {
					if tt.grows {
						count.Add(5)
					}
					fmt.Fprintf(w, "# HELP x\nvllm:generation_tokens_total{engine=\"0\",model_name=\"m\"} %d.0\n", count.Load())
					return
				}
				<-never // a token that does not come
			}))
			defer s.Close()
			defer close(never)
			i := inspection{live: &engine.Live{Instance: engine.Instance{Launch: engine.Launch{Served: []string{"m"}}}}, opt: engine.InspectOptions{Timeout: 100 * time.Millisecond}}
			i.generate(t.Context(), newClient(s.URL, ""))
			if i.live.State != tt.want || !strings.Contains(i.live.Detail, "100ms") {
				t.Errorf("%s: %s", i.live.State, i.live.Detail)
			}
		})
	}
}

func TestTokenLimit(t *testing.T) {
	for first, want := range map[float64]time.Duration{0: 5 * time.Second, 0.1: 5 * time.Second, 6: 24 * time.Second, 100: time.Minute} {
		if got := tokenLimit(5*time.Second, first); got != want {
			t.Errorf("first token after %g s: %s, want %s", first, got, want)
		}
	}
}
