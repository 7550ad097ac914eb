package events

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Change is what a transition did to one party. From is unset where an attempt begins, Attempt for the caller.
type Change struct {
	UserID  string     `json:"user_id"`
	Attempt int        `json:"attempt,omitempty"`
	From    PartyState `json:"from,omitempty"`
	To      PartyState `json:"to"`
	Reason  Reason     `json:"reason,omitempty"`
}

// Remembered is a command that a call remembers, with the transition that it made.
// Callees are those whose present attempt an add made; whom no add names the invitation made. Attempt is the
// attempt in the first call that a merged invitation answers.
type Remembered struct {
	ID      string   `json:"id"`
	Verb    Verb     `json:"verb"`
	UserID  string   `json:"user_id,omitempty"`
	Service string   `json:"service,omitempty"`
	Seq     int      `json:"seq"`
	Callees []string `json:"callees,omitempty"`
	Attempt int      `json:"attempt,omitempty"`
}

// Transition is one step of a call, with the whole call after it. The newest one is the call.
// The zero Transition stands for a call that does not exist yet.
type Transition struct {
	CommandID string `json:"-"` // what caused it; in the envelope
	Format    int    `json:"-"` // how it is stored; in the envelope. 0: as a new call is

	Event      Event        `json:"event"`
	Seq        int          `json:"seq"`
	By         By           `json:"by"`
	Changes    []Change     `json:"changes"`
	CustomData string       `json:"custom_data,omitempty"` // the command's
	Call       Call         `json:"call"`
	Commands   []Remembered `json:"commands"`
}

// The parts of a transition's envelope that are the same in each.
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

// TransitionID is <call>-<seq>.
func TransitionID(callID string, seq int) string { return callID + "-" + strconv.Itoa(seq) }

// sourceOf is the source of an app's CloudEvents.
func sourceOf(app string) string { return "/ringline/" + app }

// Encode writes the transition as the CloudEvent that stands on its call's subject; at is its time.
func (t Transition) Encode(at Time) ([]byte, error) {
	format := t.Format
	if format == 0 {
		format = BeginFormat
	}
	t.Call = t.Call.stored(format)
	t.Changes, t.Commands, t.Call.Callees = array(t.Changes), array(t.Commands), array(t.Call.Callees)
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
	return encode(&e, 2*roomFor(len(t.Call.Callees))), nil
}

// ReadTransition reads what stands on the subject of this call. It is an error if that is no transition of it, and a
// *NewerFormatError if it is one that this build does not read.
func ReadTransition(app, callID string, data []byte) (Transition, Time, error) {
	var e envelope
	var err error
	if !decode(data, &e) {
		e = envelope{}
		err = json.Unmarshal(data, &e)
	}
	if err != nil || formatOf(e.Type) > NewestFormat { // whose data may be anything
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
		return Transition{}, 0, fmt.Errorf("events: what stands there is no transition of call %s of app %s", callID, app)
	}
	t.Call = t.Call.read(t.Format)
	return t, e.Time, nil
}

// OldSizes says whether the call began in format 1, before there were limits to what a transition holds.
func (t Transition) OldSizes() bool { return t.Format == 1 }
