package events

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encode encodes v by its struct tags, as one line of JSON without HTML escaping. The names of a map are sorted. All
// Ringline messages have this format. The library does not look for duplicate names, because struct tags and maps have
// none.
func Encode(v any) ([]byte, error) {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		return nil, fmt.Errorf("events: encode %T: %w", v, err)
	}
	return b, nil
}

// appendTo appends the encoding of a message to b. No type of this package fails to encode.
func appendTo(b []byte, message any) []byte {
	w := bytes.NewBuffer(b)
	if err := json.MarshalWrite(w, message, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		panic(err)
	}
	return w.Bytes()
}
