// Package store keeps what Loadout knows about one workspace between runs: the
// snapshot, the write-ahead journal, the lock that one run at a time holds, and
// the places of logs and launch directories.
//
// It never talks to a process or a backend, never decides what to do, and never
// repairs a file that it cannot read: it says which one, and how to go back.
// Reading takes no lock and writes nothing.
package store
