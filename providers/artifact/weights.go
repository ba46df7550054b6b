package artifact

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxIndex bounds model.safetensors.index.json; the largest has some 20 MB.
const maxIndex = 64 << 20

// weightFiles are the files that hold a model's weights, in name order.
type weightFiles struct {
	names  []string
	format string
	index  string              // the index that names them; empty without one
	wants  map[string][]string // file to the tensors that the index places in it
}

const (
	modelIndex       = "model.safetensors.index.json"
	consolidated     = "consolidated"
	formatSafe       = "safetensors"
	formatPickle     = "pytorch"
	adapterWeights   = "adapter_model.safetensors"
	maxListedTensors = 3
)

// hasWeights tells whether the folder holds weights of a model (not those of an
// adapter), whole or not.
func hasWeights(d *folder) bool {
	return len(d.match(func(n string) bool {
		return n != adapterWeights && strings.HasSuffix(n, ".safetensors") ||
			strings.HasSuffix(n, ".safetensors.index.json") || isPickle(n)
	})) > 0
}

func isPickle(name string) bool {
	return strings.HasPrefix(name, "pytorch_model") && strings.HasSuffix(name, ".bin")
}

// selectWeights finds the files that a server would load: those that the index
// names; else model.safetensors; else all safetensors files. Mistral's
// consolidated files repeat the same weights and count only when alone.
func selectWeights(d *folder) (weightFiles, error) {
	isSafe, isIndex := hasSuffix(".safetensors"), hasSuffix(".safetensors.index.json")
	for _, wanted := range []bool{false, true} { // first without, then with consolidated files
		side := func(n string) bool { return strings.HasPrefix(n, consolidated) == wanted }
		if indexes := d.match(func(n string) bool { return isIndex(n) && side(n) }); len(indexes) > 0 {
			name := indexes[0]
			if d.has(modelIndex) && !wanted {
				name = modelIndex
			}
			return readIndex(d, name)
		}
		if !wanted && d.has("model.safetensors") {
			return weightFiles{names: []string{"model.safetensors"}, format: formatSafe}, nil
		}
		names := d.match(func(n string) bool { return isSafe(n) && side(n) && n != adapterWeights })
		if len(names) > 0 {
			return weightFiles{names: names, format: formatSafe}, missingShards(names)
		}
	}
	if names := d.match(isPickle); len(names) > 0 {
		return weightFiles{names: names, format: formatPickle}, nil
	}
	return weightFiles{}, nil
}

// readIndex reads which file holds which tensor. Names that leave the folder
// are refused.
func readIndex(d *folder, name string) (weightFiles, error) {
	w := weightFiles{format: formatSafe, index: name, wants: map[string][]string{}}
	data, err := d.read(name, maxIndex)
	if err != nil {
		return w, fmt.Errorf("%s %w", name, err)
	}
	var doc struct {
		Map map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return w, fmt.Errorf("%s is not valid JSON: %w", name, err)
	}
	if len(doc.Map) == 0 {
		return w, fmt.Errorf("%s has no weight_map", name)
	}
	for tensor, file := range doc.Map {
		if !filepath.IsLocal(file) {
			return w, fmt.Errorf("%s names %.80q, which is not a file of this directory", name, file)
		}
		w.wants[file] = append(w.wants[file], tensor)
	}
	w.names = sortedKeys(w.wants)
	return w, nil
}

var shardName = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.safetensors$`)

// missingShards checks a set without an index: model-00001-of-00003 announces
// how many there are.
func missingShards(names []string) error {
	for _, name := range names {
		m := shardName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		total, _ := strconv.Atoi(m[3]) // five digits
		for i := range total {
			shard := fmt.Sprintf("%s-%05d-of-%s.safetensors", m[1], i+1, m[3])
			if !slices.Contains(names, shard) {
				return fmt.Errorf("%s is missing, and so is the index that would name all shards", shard)
			}
		}
	}
	return nil
}

// lacking compares a file's tensors with what the index places in it.
func (w weightFiles) lacking(file string, h header) error {
	if w.wants == nil {
		return nil
	}
	have := make(map[string]bool, len(h.Tensors))
	for _, t := range h.Tensors {
		have[t.Name] = true
	}
	missing := slices.DeleteFunc(slices.Clone(w.wants[file]), func(n string) bool { return have[n] })
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	shown := strings.Join(missing[:min(len(missing), maxListedTensors)], ", ")
	return fmt.Errorf("lacks %d tensors that %s places in it (%.200s)", len(missing), w.index, shown)
}
