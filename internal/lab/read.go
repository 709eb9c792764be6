package lab

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/explain"
)

// What claims read from accounts.

// sends reports that a side has sent a message of that name.
func sends(c *explain.Connection, from, name string) bool { return messageOf(c, from, name) != nil }

// messageOf is the first message of that name from a side; nil if there is none.
func messageOf(c *explain.Connection, from, name string) *explain.Message {
	for _, e := range c.Events {
		if e.Message != nil && e.Message.From == from && e.Message.Name == name {
			return e.Message
		}
	}
	return nil
}

// secretOf is a value of the key schedule; nil if there is none of that name.
func secretOf(c *explain.Connection, name string) *explain.Secret {
	for _, e := range c.Events {
		if e.Secret != nil && e.Secret.Name == name {
			return e.Secret
		}
	}
	return nil
}

// recordsOf are those of a side, in their order.
func recordsOf(c *explain.Connection, from string) (all []*explain.Record) {
	for _, e := range c.Events {
		if e.Record != nil && e.Record.From == from {
			all = append(all, e.Record)
		}
	}
	return all
}

// dataOf are the records of a side with application data.
func dataOf(c *explain.Connection, from string) (all []*explain.Record) {
	for _, r := range recordsOf(c, from) {
		if r.Type == "application_data" {
			all = append(all, r)
		}
	}
	return all
}

// onTheWire is all that went over the wire, as somebody who listens has it.
func onTheWire(c *explain.Connection) (all []byte) {
	for _, e := range c.Events {
		if e.Record != nil {
			all = append(all, e.Record.Wire...)
		}
	}
	return all
}

// heardOnTheWire reports that somebody who listens reads these bytes.
func heardOnTheWire(r *Result, b []byte) bool {
	return len(b) > 0 && bytes.Contains(onTheWire(r.Client), b)
}

// lengths are those of the data records of a side, on the wire.
func lengths(c *explain.Connection, from string) (sum int) {
	for _, r := range dataOf(c, from) {
		sum += len(r.Wire)
	}
	return sum
}
