package events

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// Each transition of a stored call carries the call's format in its type: io.ringline.call.<event>.v<format>. Some
// parts are the same in every format, so that any build can detect a newer one: structured JSON, and the envelope's
// type, source and subject. docs/adr/0007 describes how a new format is introduced.
const (
	typePrefix   = "io.ringline.call."
	schemaPrefix = "https://ringline.io/schemas/call/"
)

// NewerFormatError means that a call is stored in a format newer than this build reads.
type NewerFormatError struct {
	CallID string
	Format int
}

func (e *NewerFormatError) Error() string {
	return fmt.Sprintf("events: call %s is stored in format %d, and this version reads up to %d", e.CallID, e.Format, NewestFormat)
}

// transitionType returns the CloudEvents type of a transition.
func transitionType(e Event, format int) string {
	return typePrefix + string(e) + ".v" + strconv.Itoa(format)
}

// transitionSchema returns the URL of that type's schema.
func transitionSchema(e Event, format int) string {
	return schemaPrefix + string(e) + "/v" + strconv.Itoa(format) + ".json"
}

// formatOf returns the format that a type names, or 0 if it is not the type of a transition.
func formatOf(typ string) int {
	name, found := strings.CutPrefix(typ, typePrefix)
	_, version, _ := strings.Cut(name, ".v")
	format, err := strconv.Atoi(version)
	if !found || err != nil || format < 1 {
		return 0
	}
	return format
}

// readNewer returns a *NewerFormatError if data is a transition of this call in a format that this build does not
// read. It relies only on the parts that are the same in every format.
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
