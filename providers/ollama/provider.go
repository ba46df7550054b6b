package ollama

import (
	"net/http"
	"time"

	"github.com/loadoutdev/loadout/engine"
)

// Provider runs models inside an Ollama service. Its zero value is not usable;
// New makes one.
type Provider struct {
	http  *http.Client
	stall time.Duration // a pull or create without any progress for so long has failed
	poll  time.Duration // between two looks while waiting for an unload
}

// Option changes a Provider.
type Option func(*Provider)

// WithStall sets how long a pull or create may go without progress. Default 2m.
func WithStall(d time.Duration) Option { return func(p *Provider) { p.stall = d } }

// New makes a provider. It talks to the service that each launch names.
func New(options ...Option) *Provider {
	p := &Provider{
		// No timeout for whole requests: a pull or a load may take an hour.
		http:  &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()},
		stall: 2 * time.Minute,
		poll:  20 * time.Millisecond,
	}
	for _, o := range options {
		o(p)
	}
	return p
}

func (p *Provider) client(base string) *client { return &client{base: base, http: p.http} }

var (
	_ engine.Provider = (*Provider)(nil)
	_ engine.Adopter  = (*Provider)(nil)
	_ engine.Updater  = (*Provider)(nil)
	_ engine.Excluder = (*Provider)(nil)
)
