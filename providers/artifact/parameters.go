package artifact

import "strings"

// tally adds up the headers of one model.
type tally struct {
	bytes      int64
	parameters int64
	known      bool             // every packing was understood
	types      map[string]int64 // bytes by element type
}

func (t *tally) add(h header, q quantization) {
	t.bytes += h.Bytes
	for _, tensor := range h.Tensors {
		n, known := q.parameters(tensor)
		t.parameters += n
		t.known = t.known && known
		t.types[tensor.DType] += tensor.Bytes
	}
}

// mainType is the short name of the element type that most bytes have; empty
// for a type that no weights are served in.
func (t *tally) mainType() string {
	most := ""
	for _, dtype := range sortedKeys(t.types) {
		if most == "" || t.types[dtype] > t.types[most] {
			most = dtype
		}
	}
	return map[string]string{"BF16": "bf16", "F16": "fp16", "F32": "fp32", "F64": "fp64", "F8_E4M3": "fp8"}[most]
}

// parameters counts the weights that a tensor stands for. Quantized files pack
// several weights in one stored element and keep scales and zero points beside
// them, which are no parameters. known is false for a packing that is not
// understood: then the total would be wrong and is left out.
func (q quantization) parameters(t tensor) (n int64, known bool) {
	if q.method != "" && isScale(t.Name) {
		return 0, true
	}
	switch t.DType {
	case "F64", "F32", "F16", "BF16", "F4", "F6_E2M3", "F6_E3M2":
		return t.Elements, true
	case "I32", "U32", "I64", "U64":
		return q.packedWords(t)
	case "U8", "I8":
		return q.packedBytes(t)
	}
	if strings.HasPrefix(t.DType, "F8_") {
		return t.Elements, true
	}
	return 0, true // indices, masks
}

// packedWords: AWQ and GPTQ (qweight), compressed-tensors (weight_packed).
func (q quantization) packedWords(t tensor) (int64, bool) {
	if !hasAnySuffix(t.Name, ".qweight", ".weight_packed") {
		return 0, true // indices such as g_idx and position_ids
	}
	if q.bits == 0 {
		return 0, false
	}
	return t.Elements * dtypeBits[t.DType] / q.bits, true
}

// packedBytes: two weights of four bits each in MXFP4 blocks, NVFP4 and
// bitsandbytes; otherwise a weight is a byte.
func (q quantization) packedBytes(t tensor) (int64, bool) {
	switch {
	case hasAnySuffix(t.Name, "_blocks", ".weight_packed"):
		return 2 * t.Elements, true
	case !hasAnySuffix(t.Name, ".weight"):
		return 0, true
	case q.method == "":
		return 0, false
	case t.DType == "U8" && q.bits == 4:
		return 2 * t.Elements, true
	}
	return t.Elements, true
}

// isScale tells whether a tensor of a quantized file only helps to unpack
// another one.
func isScale(name string) bool {
	return hasAnySuffix(name,
		"scale", "scales", "scale_inv", "scale_2", "zero_point", "zeros", "g_idx", "weight_shape",
		".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".SCB", ".weight_format") ||
		strings.Contains(name, ".quant_state.")
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}
