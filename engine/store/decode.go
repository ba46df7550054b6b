package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/loadoutdev/loadout/engine"
)

// decode reads one JSON document, keeping whole numbers whole.
func decode(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return engine.PlainJSON(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// normalizeSnapshot gives all values the types that the engine compares.
func normalizeSnapshot(s *engine.Snapshot) error {
	for i := range s.Models {
		if err := normalizeMap(s.Models[i].Values); err != nil {
			return fmt.Errorf("model %q: %w", s.Models[i].Name, err)
		}
	}
	for i := range s.Instances {
		if err := normalizeInstance(&s.Instances[i]); err != nil {
			return fmt.Errorf("instance of model %q: %w", s.Instances[i].Model, err)
		}
	}
	return nil
}

func normalizeInstance(in *engine.Instance) error {
	return errors.Join(normalizeMap(in.Launch.Env), normalizeMap(in.Launch.Settings))
}

// normalizeMap works key by key: the map itself is never a secret.
func normalizeMap(m map[string]any) error {
	for k, v := range m {
		if err := checkNumbers(v); err != nil {
			return err
		}
		m[k] = engine.Normalize(v)
	}
	return nil
}

// checkNumbers refuses a number that is too large for any value: it would become
// an infinity, which JSON cannot hold.
func checkNumbers(v any) error {
	switch v := v.(type) {
	case json.Number:
		_, err := v.Float64()
		return err
	case []any:
		for _, e := range v {
			if err := checkNumbers(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := checkNumbers(e); err != nil {
				return err
			}
		}
	}
	return nil
}
