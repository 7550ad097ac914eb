package events

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A stored call carries its format in the type of each of its transitions, io.ringline.call.<event>.v<format>. What
// stays the same in every format, so that a build knows what it can't read: structured JSON, and type, source and
// subject of the envelope. docs/adr/0007 says how a new format comes into use.
const (
	typePrefix   = "io.ringline.call."
	schemaPrefix = "https://ringline.io/schemas/call/"
)

// NewerFormatError means that a call is stored in a format that this build does not read.
type NewerFormatError struct {
	CallID string
	Format int
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("events: call %s is stored in format %d, and this version reads up to %d", e.CallID, e.Format, NewestFormat)
}

// transitionType is the type of a CloudEvent.
func transitionType(e Event, format int) string {
	return typePrefix + string(e) + ".v" + strconv.Itoa(format)
}

// transitionSchema is where the schema of that type is.
func transitionSchema(e Event, format int) string {
	return schemaPrefix + string(e) + "/v" + strconv.Itoa(format) + ".json"
}

// formatOf is the format that a type names, 0 if it is none of a transition.
func formatOf(typ string) int {
	name, ours := strings.CutPrefix(typ, typePrefix)
	_, version, _ := strings.Cut(name, ".v")
	format, err := strconv.Atoi(version)
	if !ours || err != nil || format < 1 {
		return 0
	}
	return format
}

// readNewer gives an error if the text is a transition of this call in a format that this build does not read. It
// trusts nothing but what is the same in all of them.
func readNewer(app, callID string, data []byte) error {
	var e struct {
		Source  string `json:"source"`
		Type    string `json:"type"`
		Subject string `json:"subject"`
	}
	format := 0
	if json.Unmarshal(data, &e) == nil {
		format = formatOf(e.Type)
	}
	if format <= NewestFormat || e.Source != sourceOf(app) || e.Subject != callID {
		return nil
	}
	return &NewerFormatError{CallID: callID, Format: format}
}
