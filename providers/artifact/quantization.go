package artifact

import (
	"fmt"
	"strings"
)

// quantization says how weights are stored: a method (awq, gptq, fp8, …) and the
// bits of one weight, 0 when the method implies them. Without a method, label is
// the element type (bf16).
type quantization struct {
	label  string
	method string
	bits   int64
	place  string // evidence
}

// quantization reads, in the order of what servers believe: quantization_config
// in config.json (also nested), ModelOpt's hf_quant_config.json, the
// quant_config.json of early AWQ, and for unquantized models the element type.
func (c config) quantization(modelopt, awq object) quantization {
	if q, place := c.object("quantization_config"); q != nil {
		if found, ok := quantizationOf(q, place); ok {
			return found
		}
	}
	if algo := modelopt.object("quantization").text("quant_algo"); algo != "" {
		return quantization{
			label: strings.ToLower(algo), method: "modelopt", bits: algoBits(algo),
			place: "hf_quant_config.json: quantization.quant_algo",
		}
	}
	if n := max(awq.number("w_bit"), awq.number("bits")); n > 0 {
		return quantization{"awq", "awq", n, fmt.Sprintf("quant_config.json: w_bit = %d", n)}
	}
	label, place := c.dtype()
	return quantization{label: label, place: place}
}

func quantizationOf(q object, place string) (quantization, bool) {
	method := strings.ToLower(q.text("quant_method"))
	algo := q.text("quant_algo")
	found := quantization{label: method, method: method, bits: weightBits(q), place: place + ".quant_method"}
	switch {
	case algo != "": // ModelOpt: the algorithm says more than the method
		found.label, found.place = strings.ToLower(algo), place+".quant_algo"
		found.method = "modelopt"
		found.bits = max(found.bits, algoBits(algo))
	case method == "":
		return quantization{}, false
	}
	if found.bits > 0 {
		found.place += fmt.Sprintf(", %d bits", found.bits)
	}
	return found, true
}

// weightBits finds the bits of a weight under the names that methods use.
func weightBits(q object) int64 {
	for _, key := range []string{"bits", "w_bit"} {
		if n := q.number(key); n > 0 && n <= 16 {
			return n
		}
	}
	switch {
	case q.flag("load_in_4bit"), q.flag("_load_in_4bit"):
		return 4
	case q.flag("load_in_8bit"), q.flag("_load_in_8bit"):
		return 8
	}
	groups := q.object("config_groups")
	for _, name := range sortedKeys(groups) {
		if n := groups.object(name).object("weights").number("num_bits"); n > 0 && n <= 16 {
			return n
		}
	}
	return 0
}

func algoBits(algo string) int64 {
	switch algo = strings.ToUpper(algo); {
	case strings.Contains(algo, "FP4"), strings.Contains(algo, "W4"):
		return 4
	case strings.Contains(algo, "FP8"), strings.Contains(algo, "W8"):
		return 8
	}
	return 0
}
