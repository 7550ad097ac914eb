// Package check validates messages against the schemas. Tests and integrators use it. Workers do not: package events
// is stricter and faster.
//
// Guarantees:
//
//  1. Valid reports exactly what the schema says.
//  2. Command and Request report whether the schema and package events agree about a body. Two differences are
//     accepted: rules that JSON Schema can't express (Beyond), and more callees than any app may allow, which package
//     events leaves to the decision. Any other difference is an error.
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

// Checker validates messages. It compiles each schema on first use. It is safe for concurrent use.
type Checker struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

// Change modifies a schema before it is compiled.
type Change func(path string, schema map[string]any)

// New returns a checker of the schemas with these changes.
func New(changes ...Change) *Checker {
	c := jsonschema.NewCompiler()
	c.UseLoader(loader{changes})
	c.AssertFormat()
	return &Checker{compiler: c}
}

// loader gives the compiler access to the embedded files only.
type loader struct{ changes []Change }

func (l loader) Load(url string) (any, error) {
	path, found := strings.CutPrefix(url, schemas.Base)
	if !found {
		return nil, fmt.Errorf("check: %s is not a schema of Ringline", url)
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

// Schema returns the schema at this path as a tree. The tree is a copy that may be modified.
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

// Closed is a Change that forbids undescribed members. It is for messages that Ringline itself sends.
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

// Valid returns an error if the schema at this path does not allow the message.
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

// Message returns an error if the schema for this subject does not allow the message. event is the value of the
// Ringline-Event header.
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
		path = old // the call began in format 1
	}
	if path == "" {
		return fmt.Errorf("check: no schema for %q on %s", event, subject)
	}
	return c.Valid(path, message)
}

// Command returns an error if the schema and events.ReadCommand disagree about the body of a command.
func (c *Checker) Command(a events.CommandAddress, body []byte) error {
	_, refused := events.ReadCommand(a, body)
	return c.agree("command/"+string(a.Verb)+"/v1.json", body, refused)
}

// Request returns an error if the schema and package events disagree about the body of an api request.
func (c *Checker) Request(method string, body []byte) error {
	var refused error
	switch method {
	case "get":
		_, refused = events.ReadGet(body)
	case "line":
		_, refused = events.ReadLineRequest(body)
	case "present":
		_, refused = events.ReadPresent(body)
	case "list":
		if _, refused = events.ReadListRequest(body); len(body) == 0 {
			body = []byte("{}")
		}
	default:
		_, refused = events.ReadRequest("app", events.Verb(method), body, func() string { return "made" })
	}
	return c.agree("request/"+method+"/v1.json", body, refused)
}

func (c *Checker) agree(path string, body []byte, refused error) error {
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

// tooManyCallees reports whether an excess of callees is the only error.
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
