package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration written as in 1m30s; a bare number is seconds.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	for _, zero := range []string{"0s", "0m"} { // 1h0m0s is 1h
		if short, ok := strings.CutSuffix(text, zero); ok && strings.ContainsAny(short[max(len(short)-1, 0):], "hm") {
			text = short
		}
	}
	return []byte(text), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if _, err := strconv.ParseUint(s, 10, 32); err == nil {
		s += "s"
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a duration; write it like 500ms, 30s or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}

// Or is d, or other where d is 0.
func (d Duration) Or(other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return time.Duration(d)
}

// Size is a number of bytes, written with KiB, MiB, GiB or without a unit.
type Size int64

var units = []struct {
	name string
	size Size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range units {
		if s >= u.size && s%u.size == 0 {
			return fmt.Appendf(nil, "%d%s", s/u.size, u.name), nil
		}
	}
	return []byte("0"), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		digits, found := strings.CutSuffix(string(text), u.name)
		if n, err := strconv.ParseInt(digits, 10, 64); found && err == nil && n >= 0 && n <= int64(1<<62/u.size) {
			*s = Size(n) * u.size
			return nil
		}
	}
	return fmt.Errorf("%q is not a size; write it like 512MiB or 2GiB", text)
}
