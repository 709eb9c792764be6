package config

import (
	"testing"
	"time"
)

func TestValues(t *testing.T) {
	var d Duration
	for text, want := range map[string]time.Duration{"5": 5 * time.Second, "1m30s": 90 * time.Second, "20ms": 20 * time.Millisecond} {
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"500ms", "1m30s", "5m", "1h", "1h0m5s", "10s", "100h", "1h10m"} {
		if err := d.UnmarshalText([]byte(text)); err != nil {
			t.Error(err)
		}
		if back, _ := d.MarshalText(); string(back) != text {
			t.Errorf("%s is written as %s", text, back)
		}
	}
	for _, text := range []string{"-1s", "soon", "", "1e9"} {
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a duration", text)
		}
	}
	var s Size
	for text, want := range map[string]Size{"5": 5, "2KiB": 2048, "3MiB": 3 << 20, "1GiB": 1 << 30} {
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
		if back, _ := s.MarshalText(); string(back) != text {
			t.Errorf("%s is written as %s", text, back)
		}
	}
	for _, text := range []string{"-1", "MiB", "9999999999999GiB", "1kb"} {
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a size", text)
		}
	}
}
