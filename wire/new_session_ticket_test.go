package wire

import "testing"

func FuzzNewSessionTicket(f *testing.F) { fuzzMessage(f, TypeNewSessionTicket) }

func TestNewSessionTicketFields(t *testing.T) {
	m := decode[*NewSessionTicket](t, "NewSessionTicket", "rfc8448-3")
	var earlyData uint32
	if _, err := m.Extensions.Read(ExtEarlyData, func(r *Reader) { earlyData = r.U32("max_early_data_size") }); err != nil {
		t.Fatal(err)
	}
	if m.Lifetime != 30 || m.AgeAdd != 0xfad6aac5 || len(m.Nonce) != 2 || len(m.Ticket) != 178 || earlyData != 1024 {
		t.Errorf("%+v, early data %d", m, earlyData)
	}
	m = decode[*NewSessionTicket](t, "NewSessionTicket", "openssl-tls12-null")
	if m.Lifetime != 7200 || m.AgeAdd != 0 || m.Nonce != nil || len(m.Ticket) != 176 {
		t.Errorf("TLS 1.2: %+v", m)
	}
}
