package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// PlainJSON words an error of encoding/json for people, who do not know the Go
// types that a document is read into. Other errors stay as they are.
func PlainJSON(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), err.Error() == "unexpected end of JSON input":
		return errors.New("it ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("it is not JSON at byte %d: %w", syntax.Offset, err)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("it holds %s where something else belongs (byte %d)", jsonKind(kind.Value), kind.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("%s is %s and should not be (byte %d)", kind.Field, jsonKind(kind.Value), kind.Offset)
	}
	return err
}

// jsonKind gives the kind of a JSON value, in the words of encoding/json, its
// article.
func jsonKind(kind string) string {
	switch kind {
	case "array", "object":
		return "an " + kind
	case "bool":
		return "true or false"
	case "string", "number":
		return "a " + kind
	}
	return kind // "number -3"
}
