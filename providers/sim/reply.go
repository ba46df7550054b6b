package sim

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// maxTable is the largest embedding, in elements, that is read to find the
// words of a model: only the generated ones are that small.
const maxTable = 1 << 20

// maxWork is the largest product of the embedding's rows and the output's
// elements that is worth a look.
const maxWork = 1 << 27

// token is one piece of an answer.
type token struct {
	id   int // -1 when the text has no id
	text string
	end  bool // ends the text; adds nothing to it
}

// speaker knows what a model says.
type speaker struct {
	tokens *tokenizer
	next   map[int]int // token to its follower
	config *modelConfig
	name   string
}

// newSpeaker looks the answers up in the weights: it multiplies each row of the
// embedding with the output matrix and skips all layers in between, which is
// exact for a model of [WriteWeights] and pointless for any other. Others get a
// sentence that says so.
func newSpeaker(c *checkpoint, tokens *tokenizer, name string) *speaker {
	s := &speaker{tokens: tokens, config: &c.config, name: name}
	l := c.config.language()
	if tokens == nil || l.Hidden <= 0 || l.Vocabulary <= 0 || l.Vocabulary > maxTable/l.Hidden {
		return s
	}
	in, err := c.readTable("model.embed_tokens.weight")
	if err != nil {
		return s
	}
	out, err := c.readTable("lm_head.weight")
	if err != nil {
		out = in
	}
	if int64(len(in))/l.Hidden*int64(len(out)) > maxWork {
		return s
	}
	s.next = followers(in, out, int(l.Hidden))
	return s
}

// followers finds for each row of in the row of out that it points to; the last
// one of equals.
func followers(in, out []float32, width int) map[int]int {
	next := map[int]int{}
	for from := 0; (from+1)*width <= len(in); from++ {
		row, best := in[from*width:(from+1)*width], float32(math.Inf(-1))
		for to := 0; (to+1)*width <= len(out); to++ {
			var sum float32
			for i, w := range out[to*width : (to+1)*width] {
				sum += row[i] * w
			}
			if sum >= best {
				best, next[from] = sum, to
			}
		}
	}
	return next
}

// answer gives at most limit tokens that follow a prompt.
func (s *speaker) answer(prompt []int, limit int) []token {
	if s.next == nil || len(prompt) == 0 {
		return s.apology(limit)
	}
	var answer []token
	last := prompt[len(prompt)-1]
	for len(answer) < limit {
		id, known := s.next[last]
		if !known {
			break
		}
		t := token{id: id, end: s.config.ends(id)}
		if !t.end {
			t.text = s.tokens.decode([]int{id})
		}
		answer, last = append(answer, t), id
		if t.end {
			break
		}
	}
	return answer
}

func (s *speaker) apology(limit int) []token {
	text := fmt.Sprintf(" This is %s, answered by Loadout's stand-in for vLLM: no model was run.", s.name)
	var answer []token
	for _, word := range strings.SplitAfter(text, " ") {
		if len(answer) < limit && word != "" {
			answer = append(answer, token{id: -1, text: word})
		}
	}
	if len(answer) < limit {
		answer = append(answer, token{id: -1, end: true})
	}
	return answer
}

// count gives the tokens of a text; without a tokenizer, four bytes are one.
func (s *speaker) count(text string) []int {
	if s.tokens != nil {
		return s.tokens.encode(text)
	}
	return make([]int, (len(text)+3)/4)
}

// readTable reads one F16, BF16 or F32 tensor of at most maxTable elements.
func (c *checkpoint) readTable(name string) ([]float32, error) {
	for _, shard := range c.shards {
		path := filepath.Join(c.dir, shard)
		h, err := readHeader(path)
		if err != nil {
			return nil, err
		}
		if t, ok := h.tensors[name]; ok {
			return readTensor(path, h.data, t)
		}
	}
	return nil, fmt.Errorf("%s has no tensor %s", c.dir, name)
}

func readTensor(path string, data int64, t tensor) ([]float32, error) {
	size := t.Offsets[1] - t.Offsets[0]
	if size < 0 || size > 4*maxTable {
		return nil, fmt.Errorf("%s: tensor of %d bytes is not read", path, size)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw := make([]byte, size)
	if _, err := f.ReadAt(raw, data+t.Offsets[0]); err != nil {
		return nil, err
	}
	return decodeFloats(t.DType, raw)
}

func decodeFloats(dtype string, raw []byte) ([]float32, error) {
	var out []float32
	switch dtype {
	case "F32":
		for ; len(raw) >= 4; raw = raw[4:] {
			out = append(out, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		}
	case "F16":
		for ; len(raw) >= 2; raw = raw[2:] {
			out = append(out, fromHalf(binary.LittleEndian.Uint16(raw)))
		}
	case "BF16":
		for ; len(raw) >= 2; raw = raw[2:] {
			out = append(out, math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw))<<16))
		}
	default:
		return nil, fmt.Errorf("tensors of type %s are not read", dtype)
	}
	return out, nil
}

// fromHalf widens an IEEE 754 half. Infinities and NaN become large numbers:
// only comparisons are made with them.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := float64(1), int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	if exponent == 0 {
		return float32(sign * math.Ldexp(fraction, -24))
	}
	return float32(sign * math.Ldexp(1024+fraction, exponent-25))
}
