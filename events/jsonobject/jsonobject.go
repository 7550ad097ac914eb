// Package jsonobject reads a JSON object as the list of its members, in the order of the input.
//
// It keeps what a decoder into Go values loses: duplicate names, null, and each value as it is in the input. So the
// strict readers of package events can name the field and the limit in their errors. The generators of package schemas
// need the order.
//
// The package is internal to Ringline: unlike events, it may change at any time.
package jsonobject

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Errors of Read. For text that is not JSON it returns a *jsontext.SyntacticError.
var (
	ErrNoObject = errors.New("jsonobject: the value is not an object")
	ErrTrailing = errors.New("jsonobject: text after the object")
)

// Member is a name and its value. The value shares the memory of the input.
type Member struct {
	Name  string
	Value jsontext.Value
}

// Append appends the member as "name":value.
func (m Member) Append(b []byte) []byte {
	b, _ = jsontext.AppendQuote(b, m.Name) // the error means that U+FFFD replaced an invalid byte
	return append(append(b, ':'), m.Value...)
}

// Read splits an object into its members. Half of a surrogate pair is not an error: it is U+FFFD in a name, and stays
// as it is in a value.
func Read(data []byte) ([]Member, error) {
	o := object{data: data}
	err := json.Unmarshal(data, &o, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	switch {
	case err == nil:
		return o.members, nil
	case o.complete:
		err = ErrTrailing
	case errors.Is(err, ErrNoObject):
		err = ErrNoObject
	}
	return nil, err
}

// object is an object that is being read from data.
type object struct {
	data     []byte
	members  []Member
	complete bool
}

// UnmarshalJSONFrom reads the members.
func (o *object) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != jsontext.KindBeginObject {
		if err := dec.SkipValue(); err != nil {
			return err
		}
		return ErrNoObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	text := string(o.data)
	o.members = make([]Member, 0, 8)
	for dec.PeekKind() != jsontext.KindEndObject {
		name, at, err := o.value(dec)
		if err != nil {
			return err
		}
		m := Member{Name: text[at+1 : at+len(name)-1]}
		if bytes.IndexByte(name, '\\') >= 0 {
			unquoted, _ := jsontext.AppendUnquote(nil, name)
			m.Name = string(unquoted)
		}
		if m.Value, _, err = o.value(dec); err != nil {
			return err
		}
		o.members = append(o.members, m)
	}
	_, err := dec.ReadToken()
	o.complete = err == nil
	return err
}

// value returns the next name or value as a part of the input, and its position. The decoder's own copy is valid only
// until the next read.
func (o *object) value(dec *jsontext.Decoder) (v jsontext.Value, at int, err error) {
	if v, err = dec.ReadValue(); err != nil {
		return nil, 0, err
	}
	end := int(dec.InputOffset())
	at = end - len(v)
	return o.data[at:end], at, nil
}
