package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
)

// maxRequest is the largest body that is read, in bytes.
const maxRequest = 32 << 20

// detail is FastAPI's body for routing errors.
type detail struct {
	Detail string `json:"detail"`
}

// apiError is the body of all other errors. Code is the HTTP status.
type apiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    int     `json:"code"`
}

func (e *apiError) Error() string { return e.Message }

// envelope is how an apiError travels.
type envelope struct {
	Error *apiError `json:"error"`
}

func badRequest(param, format string, args ...any) *apiError {
	return &apiError{fmt.Sprintf(format, args...), "BadRequestError", optional(param), http.StatusBadRequest}
}

// invalid is the error of a body that has not the right form; its type is
// spelled in another way than all others.
func invalid(param, format string, args ...any) *apiError {
	return &apiError{"1 validation error:\n  " + fmt.Sprintf(format, args...), "Bad Request", optional(param), http.StatusBadRequest}
}

func engineError(err error) *apiError {
	return &apiError{err.Error(), "InternalServerError", nil, http.StatusInternalServerError}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func writeError(w http.ResponseWriter, e *apiError) { writeBody(w, e.Code, envelope{e}) }

func writeBody(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	text := compact(body)
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client went away
}

// compact encodes without spaces and without escaping < > &, as vLLM does. The
// bodies are our own types, which always encode.
func compact(body any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// readBody decodes a request into a struct. Unknown fields are ignored.
func readBody(r *http.Request, into any) *apiError {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		return invalid("", "Unsupported Media Type: Only 'application/json' is allowed")
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return invalid("body", "%s", err)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return invalid("body", "{'type': 'missing', 'loc': 'body', 'msg': 'Field required', 'input': 'None'}")
	}
	err = json.Unmarshal(raw, into)
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return wrongField(wrongType, raw)
	case errors.As(err, &syntax):
		loc := fmt.Sprintf("body.%d", syntax.Offset)
		return invalid(loc, "{'type': 'json_invalid', 'loc': '%s', 'msg': 'JSON decode error', 'input': '<dict of 0 items>', 'ctx': {'error': '%s'}}", loc, expecting(raw))
	}
	return nil
}

// expecting says what Python's decoder misses where the text breaks off.
func expecting(raw []byte) string {
	if text := bytes.TrimSpace(raw); bytes.HasSuffix(text, []byte(",")) || bytes.HasSuffix(text, []byte("{")) {
		return "Expecting property name enclosed in double quotes"
	}
	return "Expecting value"
}

// wrongField words a field of the wrong type as pydantic does.
func wrongField(e *json.UnmarshalTypeError, raw []byte) *apiError {
	field := strings.TrimPrefix(strings.TrimPrefix(e.Field, "chatRequest."), "sampling.")
	whole, _ := decodeJSON(string(raw)) // it is JSON: only a type was wrong
	fields, isObject := whole.(map[string]any)
	if !isObject {
		return invalid("body", "{'type': 'model_attributes_type', 'loc': 'body', 'msg': 'Input should be a valid dictionary or object to extract fields from', 'input': %s}", shown(whole))
	}
	_, isText := fields[field].(string)
	kind, message := typeComplaint(e.Type.Kind(), isText)
	loc := "body." + field
	return invalid(loc, "{'type': '%s', 'loc': '%s', 'msg': '%s', 'input': %s}", kind, loc, message, shown(fields[field]))
}

// typeComplaint gives pydantic's name and text for a value of the wrong type.
func typeComplaint(wanted reflect.Kind, isText bool) (kind, message string) {
	const should = "Input should be a valid "
	switch {
	case wanted == reflect.Int64 && isText:
		return "int_parsing", should + "integer, unable to parse string as an integer"
	case wanted == reflect.Int64:
		return "int_type", should + "integer"
	case wanted == reflect.Float64 && isText:
		return "float_parsing", should + "number, unable to parse string as a number"
	case wanted == reflect.Float64:
		return "float_type", should + "number"
	case wanted == reflect.Bool && isText:
		return "bool_parsing", should + "boolean, unable to interpret input"
	case wanted == reflect.Bool:
		return "bool_type", should + "boolean"
	case wanted == reflect.Slice:
		return "list_type", should + "list"
	case wanted == reflect.String:
		return "string_type", should + "string"
	}
	return "dict_type", should + "dictionary"
}

// shown is how the errors show the input: lists and objects by their size.
func shown(v any) string {
	switch v := v.(type) {
	case []any:
		return fmt.Sprintf("'<list of %d items>'", len(v))
	case map[string]any:
		return fmt.Sprintf("'<dict of %d items>'", len(v))
	case string:
		return pythonString(v)
	}
	return "'" + python(v) + "'"
}
