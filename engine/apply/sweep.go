package apply

import (
	"path/filepath"

	"github.com/loadoutdev/loadout/engine"
	"github.com/loadoutdev/loadout/engine/store"
)

// sweep removes the directories of launches that are over: of servers that died
// by themselves, and of starts that were killed before anything ran. The
// providers keep what a living process uses, such as that of a model that was
// forgotten. It is housekeeping: what fails is tried again by the next run.
func (r *runner) sweep() {
	snap, open, err := r.Store.Read()
	if err != nil {
		return
	}
	var keep []string
	if snap != nil {
		for i := range snap.Instances {
			keep = append(keep, filepath.Base(snap.Instances[i].Dir))
		}
	}
	for _, u := range open {
		keep = append(keep, filepath.Base(u.Instance.Dir))
	}
	root := filepath.Join(r.Store.Dir(), store.LaunchDir(""))
	for _, p := range r.Providers {
		if s, able := p.(engine.Sweeper); able {
			_ = s.Sweep(root, keep)
		}
	}
}
