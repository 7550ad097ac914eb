package events

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
)

// Change is the effect of a transition on one party. From is unset when an attempt begins. Attempt is unset for the
// caller.
type Change struct {
	UserID  string     `json:"user_id"`
	Attempt int        `json:"attempt,omitzero"`
	From    PartyState `json:"from,omitempty"`
	To      PartyState `json:"to"`
	Reason  Reason     `json:"reason,omitempty"`
}

// Remembered is a command that a call remembers, with the transition that it caused. Callees lists the callees whose
// current attempt was started by an add; all other attempts were started by the invitation. Attempt is the attempt in
// the first call that a merged invitation answers.
type Remembered struct {
	ID      string   `json:"id"`
	Verb    Verb     `json:"verb"`
	UserID  string   `json:"user_id,omitempty"`
	Service string   `json:"service,omitempty"`
	Seq     int      `json:"seq"`
	Callees []string `json:"callees,omitempty"`
	Attempt int      `json:"attempt,omitzero"`
}

// Transition is one step of a call, with the complete state of the call after it. The newest transition is the state
// of the call. The zero Transition means that the call does not exist yet.
type Transition struct {
	CommandID string `json:"-"` // the command that caused it; stored in the envelope
	Format    int    `json:"-"` // stored in the envelope; 0 means the format of new calls

	Event      Event        `json:"event"`
	Seq        int          `json:"seq"`
	By         By           `json:"by"`
	Changes    []Change     `json:"changes"`
	CustomData string       `json:"custom_data,omitempty"` // custom data of the command
	Call       Call         `json:"call"`
	Commands   []Remembered `json:"commands"`
}

// The parts of the envelope that are the same for all transitions.
const (
	specVersion     = "1.0"
	jsonContentType = "application/json"

	// ContentType is the value of a transition's Content-Type header.
	ContentType = "application/cloudevents+json"
)

// envelope is a CloudEvents 1.0 event in structured JSON.
type envelope struct {
	SpecVersion     string     `json:"specversion"`
	ID              string     `json:"id"`
	Source          string     `json:"source"`
	Type            string     `json:"type"`
	Subject         string     `json:"subject"`
	Time            Time       `json:"time"`
	DataContentType string     `json:"datacontenttype"`
	DataSchema      string     `json:"dataschema"`
	Sequence        string     `json:"sequence"`
	CausationID     string     `json:"causationid"`
	Data            Transition `json:"data"`
}

// TransitionID returns <call>-<seq>.
func TransitionID(callID string, seq int) string { return callID + "-" + strconv.Itoa(seq) }

// sourceOf returns the CloudEvents source of an app.
func sourceOf(app string) string { return "/ringline/" + app }

// Encode encodes the transition as the CloudEvent that is published on the subject of its call, with the time at.
func (t Transition) Encode(at Time) ([]byte, error) {
	format := t.Format
	if format == 0 {
		format = BeginFormat
	}
	t.Call = t.Call.stored(format)
	e := envelope{
		SpecVersion:     specVersion,
		ID:              TransitionID(t.Call.CallID, t.Seq),
		Source:          sourceOf(t.Call.App),
		Type:            transitionType(t.Event, format),
		Subject:         t.Call.CallID,
		Time:            at,
		DataContentType: jsonContentType,
		DataSchema:      transitionSchema(t.Event, format),
		Sequence:        fmt.Sprintf("%010d", t.Seq),
		CausationID:     t.CommandID,
		Data:            t,
	}
	return Encode(&e)
}

// ReadTransition decodes a message from the subject of this call. It returns a *NewerFormatError for a format that
// this build does not read, and another error if the message is not a transition of this call.
func ReadTransition(app, callID string, data []byte) (Transition, Time, error) {
	var e envelope
	err := json.Unmarshal(data, &e)
	if err != nil || formatOf(e.Type) > NewestFormat { // in a newer format, data may have any type
		if newer := readNewer(app, callID, data); newer != nil {
			return Transition{}, 0, newer
		}
	}
	if err != nil {
		return Transition{}, 0, fmt.Errorf("events: read transition of %s: %w", callID, err)
	}
	t := e.Data
	t.CommandID, t.Format = e.CausationID, formatOf(e.Type)
	if t.Seq < 1 || t.Call.App != app || t.Call.CallID != callID || t.Call.Seq != t.Seq ||
		e.ID != TransitionID(callID, t.Seq) || t.Format < 1 || t.Format > NewestFormat {
		return Transition{}, 0, fmt.Errorf("events: the message is not a transition of call %s of app %s", callID, app)
	}
	t.Call = t.Call.read(t.Format)
	return t, e.Time, nil
}

// InFormat1 reports whether the call began in format 1. Such a call has no changed_seq, so its parties can't take it, and
// the reason lost does not exist in it.
func (t Transition) InFormat1() bool { return t.Format == 1 }

// OldSizes reports whether the call began in format 1, which had no size limits for transitions.
func (t Transition) OldSizes() bool { return t.InFormat1() }
