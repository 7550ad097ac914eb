package settings

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ByteSize is a number of bytes, written as 16GiB, 512MiB or 1000000.
type ByteSize int64

const leastBytes = 1 << 20 * ByteSize(1)

// namedBytes is a setting's name and its value.
type namedBytes struct {
	name  string
	bytes ByteSize
}

type byteUnit struct {
	name  string
	bytes ByteSize
}

func byteUnits() []byteUnit {
	return []byteUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}
}

// Decode implements envconfig.Decoder.
func (b *ByteSize) Decode(value string) error {
	for _, u := range byteUnits() {
		digits, ok := strings.CutSuffix(value, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		switch {
		case err != nil:
			return err
		case n < 0 || n > math.MaxInt64/int64(u.bytes):
			return errors.New("out of range")
		}
		*b = ByteSize(n) * u.bytes
		return nil
	}
	return nil // not reached: every value has the empty suffix of the last unit
}

// Rounded is the text for humans: 31.1GiB.
func (b ByteSize) Rounded() string {
	for _, u := range byteUnits() {
		if b >= u.bytes && u.bytes > 1 {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(b)/float64(u.bytes)), ".0") + u.name
		}
	}
	return fmt.Sprintf("%d bytes", int64(b))
}

func (b ByteSize) String() string {
	for _, u := range byteUnits() {
		if b >= u.bytes && b%u.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(b/u.bytes), u.name)
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
