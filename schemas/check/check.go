// Package check holds messages against the schemas. Tests use it, and whoever wants to see whether his own messages
// are right; no worker does, as package events reads more strictly and faster.
//
// What it promises:
//
//  1. Valid says what the schema says, no more and no less.
//  2. Command and Request say whether the schema and package events judge a body alike. They differ only in what
//     JSON Schema can't express (Beyond) and in what events leaves to the decision (more callees than any app may
//     allow); whatever else they differ in is an error.
package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas"
)

// Checker has the schemas, each compiled when it is first needed. It may be used by several goroutines.
type Checker struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

// Change may change a schema before it is compiled.
type Change func(path string, schema map[string]any)

// New gives a checker of the schemas, as they are or as changed.
func New(changes ...Change) *Checker {
	c := jsonschema.NewCompiler()
	c.UseLoader(loader{changes})
	c.AssertFormat()
	return &Checker{compiler: c}
}

// loader gives the compiler the embedded files, and nothing from elsewhere.
type loader struct{ changes []Change }

func (l loader) Load(url string) (any, error) {
	path, ours := strings.CutPrefix(url, schemas.Base)
	if !ours {
		return nil, fmt.Errorf("check: %s is none of ours", url)
	}
	schema, err := Schema(path)
	if err != nil {
		return nil, err
	}
	for _, change := range l.changes {
		change(path, schema)
	}
	return schema, nil
}

func (c *Checker) schema(path string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.compiler.Compile(schemas.Base + path)
	if err != nil {
		return nil, fmt.Errorf("check: %s: %w", path, err)
	}
	return s, nil
}

// Schema gives the schema at this path as a tree. It is the caller's own.
func Schema(path string) (map[string]any, error) {
	text, err := schemas.Read(path)
	if err != nil {
		return nil, err
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("check: %s: %w", path, err)
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("check: %s is no object", path)
	}
	return object, nil
}

// Closed is a Change that allows no member which a schema does not describe: for what Ringline itself sends.
func Closed(_ string, schema map[string]any) {
	if schema["type"] == "object" && schema["additionalProperties"] == nil {
		schema["additionalProperties"] = false
	}
	for _, v := range schema {
		switch v := v.(type) {
		case map[string]any:
			Closed("", v)
		case []any:
			for _, x := range v {
				if o, ok := x.(map[string]any); ok {
					Closed("", o)
				}
			}
		}
	}
}

// Valid says whether the schema at this path allows the message.
func (c *Checker) Valid(path string, message []byte) error {
	s, err := c.schema(path)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err != nil {
		return fmt.Errorf("check: not JSON: %w", err)
	}
	return s.Validate(v)
}

// Message says whether the message on this subject is what its schema allows. event is the header Ringline-Event.
func (c *Checker) Message(subject, event string, message []byte) error {
	var n struct {
		Event      string `json:"event"`
		DataSchema string `json:"dataschema"`
	}
	if err := json.Unmarshal(message, &n); err == nil && event == "" { // a notification has it in its body
		event = n.Event
	}
	path := schemas.ForSubject(subject, event)
	if old := "call/" + event + "/v1.json"; n.DataSchema == schemas.Base+old && strings.HasPrefix(path, "call/") {
		path = old // of a call that began in format 1
	}
	if path == "" {
		return fmt.Errorf("check: no schema for %q on %s", event, subject)
	}
	return c.Valid(path, message)
}

// Command is an error where the schema and events.ReadCommand judge the body of a command differently.
func (c *Checker) Command(a events.CommandAddress, body []byte) error {
	_, refused := events.ReadCommand(a, body)
	return c.agree("command/"+string(a.Verb)+"/v1.json", body, refused)
}

// Request is the same for a request to the api and what package events has to read it.
func (c *Checker) Request(method string, body []byte) error {
	var refused *events.Error
	switch method {
	case "get":
		_, refused = events.ReadGet(body)
	case "line":
		_, refused = events.ReadLineRequest(body)
	case "list":
		if _, refused = events.ReadListRequest(body); len(body) == 0 {
			body = []byte("{}")
		}
	default:
		_, refused = events.ReadRequest("app", events.Verb(method), body, func() string { return "made" })
	}
	return c.agree("request/"+method+"/v1.json", body, refused)
}

func (c *Checker) agree(path string, body []byte, refused *events.Error) error {
	invalid := c.Valid(path, body)
	switch {
	case (refused == nil) == (invalid == nil):
		return nil
	case refused == nil && tooManyCallees(invalid):
		return nil
	case refused == nil:
		return fmt.Errorf("check: %s refuses what package events reads: %w", path, invalid)
	case len(Beyond(body)) > 0:
		return nil
	}
	return fmt.Errorf("check: %s allows what package events refuses: %w", path, refused)
}

// tooManyCallees says whether nothing else is wrong.
func tooManyCallees(err error) bool {
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return false
	}
	if len(invalid.Causes) > 0 {
		return !slices.ContainsFunc(invalid.Causes, func(e *jsonschema.ValidationError) bool { return !tooManyCallees(e) })
	}
	_, most := invalid.ErrorKind.(*kind.MaxItems)
	return most && slices.Equal(invalid.InstanceLocation, []string{"callees"})
}
