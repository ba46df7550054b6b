package artifact

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestHostileHeaders(t *testing.T) {
	length := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	entry := func(s string) string { return framed(`{"a":` + s + `}`) }
	for _, tc := range []struct{ name, file, want string }{
		{"empty", "", "is cut short: 0 bytes are no safetensors file"},
		{"seven bytes", "1234567", "is cut short: 7 bytes"},
		{"header beyond the limit", length(maxHeader+1) + "{}", "is not a safetensors file: a header of 100000001 bytes"},
		{"largest length", length(math.MaxUint64) + "{}", "is not a safetensors file"},
		{"header beyond the file", length(3) + "{}", "is cut short: the header has 3 bytes, the file 10"},
		{"no header", length(0), "is not a safetensors file: its header is no JSON object"},
		{"list", framed("[]"), "is not a safetensors file"},
		{"no JSON", framed(`{"a"`), "is damaged: its header is no JSON"},
		{"end is missing", framed(`{"__metadata__":{}`), "is damaged: its header ends early"},
		{"deep", framed(`{"a":` + strings.Repeat("[", 1_000_000)), "is damaged: its header is no JSON"},
		{"no tensors", framed(`{"__metadata__":{}}`), "holds no tensors"},
		{"null", entry(`null`), "has no valid type"},
		{"one offset", entry(`{"dtype":"F16","shape":[1],"data_offsets":[0]}`), "has no valid type"},
		{"offsets swapped", entry(`{"dtype":"F16","shape":[1],"data_offsets":[2,0]}`), "has no valid type"},
		{"offset overflows", entry(`{"dtype":"X","shape":[1],"data_offsets":[0,18446744073709551615]}`), "has no valid type"},
		{"negative", entry(`{"dtype":"F16","shape":[-1],"data_offsets":[0,2]}`), "has no valid type"},
		{"shape overflows", entry(`{"dtype":"F16","shape":[4294967296,4294967296,4],"data_offsets":[0,2]}`), "has no valid type"},
		{"shape and size differ", entry(`{"dtype":"F16","shape":[3],"data_offsets":[0,2]}`) + "xx", `tensor "a" has 2 bytes for 3 elements of F16`},
		{"huge entry", entry(`{"dtype":"F16","shape":[` + strings.Repeat("1,", maxTensor) + `1]}`), "the entry of tensor"},
		{"overlap", framed(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`) + "xx",
			"its tensors overlap or leave gaps"},
		{"gap", framed(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`) + "xx", "its tensors overlap or leave gaps"},
		{"sum overflows", framed(`{"a":{"dtype":"X","shape":[],"data_offsets":[0,4611686018427387903]},"b":{"dtype":"X","shape":[],"data_offsets":[0,4611686018427387903]},"c":{"dtype":"X","shape":[],"data_offsets":[0,4611686018427387903]}}`),
			"its tensors overlap or leave gaps"},
		{"twice", framed(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`) + "xx",
			`tensor "a" twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readHeader(strings.NewReader(tc.file), int64(len(tc.file)))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestReadHeader(t *testing.T) {
	file := safetensors(spec{"w", "BF16", []int64{2, 3}}, spec{"packed", "F4", []int64{3}}, spec{"scalar", "F32", nil})
	h, err := readHeader(strings.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if h.Bytes != 12+2+4 || len(h.Tensors) != 3 {
		t.Errorf("got %+v", h)
	}
	unknown := framed(`{"a":{"dtype":"F3","shape":[8],"data_offsets":[0,3]}}   `) + "xxx"
	if h, err := readHeader(strings.NewReader(unknown), int64(len(unknown))); err != nil || h.Bytes != 3 {
		t.Errorf("an unknown type counts by its offsets: %+v %v", h, err)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte(safetensors(spec{"w", "BF16", []int64{2, 3}})))
	f.Add([]byte(safetensors(spec{"a.qweight", "I32", []int64{2}}, spec{"a.scales", "F16", []int64{1}})))
	f.Add([]byte(framed(`{"a":{"dtype":"X","shape":[],"data_offsets":[0,9223372036854775807]}}`)))
	q := quantization{method: "awq", bits: 4}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := readHeader(strings.NewReader(string(data)), int64(len(data)))
		if err != nil {
			return
		}
		if h.Bytes < 0 || h.Bytes > int64(len(data)) {
			t.Errorf("%d bytes of tensors in a file of %d", h.Bytes, len(data))
		}
		for _, tensor := range h.Tensors {
			if n, _ := q.parameters(tensor); n < 0 {
				t.Errorf("%+v has %d parameters", tensor, n)
			}
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add(llamaConfig)
	f.Add(vision()["config.json"])
	f.Add(`{"rope_scaling":{"type":"yarn","factor":-1},"max_position_embeddings":1e15,"text_config":[]}`)
	f.Add(`{"quantization_config":{"quant_method":"compressed-tensors","config_groups":{"g":null}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := decodeObject([]byte(text))
		if err != nil {
			return
		}
		c := newConfig(o)
		n, place := c.contextLength(o)
		if n < 0 || (n > 0) != (place != "") {
			t.Errorf("context of %d tokens from %q", n, place)
		}
		q := c.quantization(o, o)
		if q.bits < 0 || q.label != "" && q.place == "" {
			t.Errorf("impossible quantization %+v", q)
		}
		if name, place := c.architecture(); (name == "") != (place == "") {
			t.Errorf("architecture %q from %q", name, place)
		}
		if again := fmt.Sprint(clues{config: c, processor: o}.capabilities()); again != fmt.Sprint(clues{config: newConfig(o), processor: o}.capabilities()) {
			t.Errorf("capabilities differ: %s", again)
		}
		namedTemplate(o["chat_template"])
	})
}
