package streams

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Difference is one field whose value differs from the settings.
type Difference struct {
	Field         string // the NATS name, such as max_age
	Wanted, Found string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: want %s, got %s", d.Field, d.Wanted, d.Found)
}

// streamDifferences compares a stream with the wanted configuration. Defaults that the server fills in don't count.
func streamDifferences(wanted, found jetstream.StreamConfig) []Difference {
	for _, c := range []*jetstream.StreamConfig{&wanted, &found} {
		c.MaxConsumers, c.MaxMsgs, c.MaxBytes = unlimited(c.MaxConsumers), unlimited(c.MaxMsgs), unlimited(c.MaxBytes)
		c.MaxMsgsPerSubject, c.MaxMsgSize = unlimited(c.MaxMsgsPerSubject), unlimited(c.MaxMsgSize)
		c.Replicas = max(c.Replicas, 1)
		c.AllowRollup = c.AllowRollup || c.AllowMsgSchedules // schedules require rollup
		c.Metadata = chosen(c.Metadata)
	}
	return fieldDifferences(reflect.ValueOf(wanted), reflect.ValueOf(found))
}

// consumerDifferences compares a durable pull consumer with the wanted configuration.
func consumerDifferences(wanted, found jetstream.ConsumerConfig) []Difference {
	const maxWaiting = 512 // the server's default
	for _, c := range []*jetstream.ConsumerConfig{&wanted, &found} {
		if c.Name == "" {
			c.Name = c.Durable
		}
		if c.MaxWaiting == 0 {
			c.MaxWaiting = maxWaiting
		}
		c.MaxDeliver = unlimited(c.MaxDeliver)
		c.Metadata = chosen(c.Metadata)
	}
	return fieldDifferences(reflect.ValueOf(wanted), reflect.ValueOf(found))
}

// bucketStream is the configuration that nats.go gives to the stream of a bucket.
func bucketStream(c jetstream.KeyValueConfig) jetstream.StreamConfig {
	const duplicates = 2 * time.Minute
	s := jetstream.StreamConfig{
		Name: "KV_" + c.Bucket, Description: c.Description, Subjects: []string{"$KV." + c.Bucket + ".>"},
		MaxMsgsPerSubject: max(int64(c.History), 1), MaxAge: c.TTL, MaxBytes: c.MaxBytes, Storage: c.Storage, Replicas: c.Replicas,
		AllowRollup: true, DenyDelete: true, AllowDirect: true, Discard: jetstream.DiscardNew, Duplicates: duplicates,
		AllowMsgTTL: c.LimitMarkerTTL > 0, SubjectDeleteMarkerTTL: c.LimitMarkerTTL,
	}
	if c.TTL > 0 {
		s.Duplicates = min(duplicates, c.TTL)
	}
	return s
}

// unlimited maps the two NATS values for "no limit", 0 and -1, to -1.
func unlimited[T int | int32 | int64](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// chosen drops the metadata that the server and Setup add.
func chosen(metadata map[string]string) map[string]string {
	m := map[string]string{}
	for k, v := range metadata {
		if !strings.HasPrefix(k, "_nats.") && k != madeKey {
			m[k] = v
		}
	}
	return m
}

// fieldDifferences compares two structs of one type, field by field, in order of declaration.
func fieldDifferences(wanted, found reflect.Value) (list []Difference) {
	for i := range wanted.NumField() {
		w, f := wanted.Field(i), found.Field(i)
		if empty(w) && empty(f) || reflect.DeepEqual(w.Interface(), f.Interface()) {
			continue
		}
		name, _, _ := strings.Cut(wanted.Type().Field(i).Tag.Get("json"), ",")
		list = append(list, Difference{Field: name, Wanted: valueText(w), Found: valueText(f)})
	}
	return list
}

// empty reports whether a list, a map or a pointer holds nothing.
func empty(v reflect.Value) bool {
	switch v.Kind() { //nolint:exhaustive // the other kinds always hold something
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Pointer:
		return v.IsNil()
	}
	return false
}

func valueText(v reflect.Value) string {
	if empty(v) {
		return "none"
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case fmt.Stringer:
		return x.String()
	}
	switch v.Kind() { //nolint:exhaustive // the other kinds print as they are
	case reflect.Pointer:
		return valueText(v.Elem())
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, valueText(v.Index(i)))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.Struct:
		var parts []string
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				parts = append(parts, v.Type().Field(i).Name+":"+valueText(f))
			}
		}
		return "{" + strings.Join(parts, " ") + "}"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, fmt.Sprintf("%v:%v", k, v.MapIndex(k)))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}
