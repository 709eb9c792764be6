package wire

// ReadServerName reads the ServerNameList of a ClientHello: exactly one DNS
// name. RFC 6066 §3.
//
//	struct {
//	    NameType name_type;                 // host_name (0)
//	    opaque HostName<1..2^16-1>;
//	} ServerName;
//
//	struct {
//	    ServerName server_name_list<1..2^16-1>
//	} ServerNameList;
func ReadServerName(r *Reader) (host string) {
	m := r.Open("server_name_list", 2, 1, 0xffff)
	for r.More() {
		kind := U8[uint8](r, "name_type")
		n := r.Open("host_name", 2, 1, 0xffff)
		name := r.Text("host_name", r.Left())
		r.Close("host_name", n)
		if kind != 0 || host != "" {
			r.Fail("server_name_list", "one host_name, and only that, is allowed")
		}
		host = string(name)
	}
	r.Close("server_name_list", m)
	return host
}

// AppendServerName appends a ServerNameList with host in it.
func AppendServerName(b []byte, host string) []byte {
	b, list := openVector(b, 2)
	b = append(b, 0)
	b, name := openVector(b, 2)
	b = closeVector(append(b, host...), name, 2)
	return closeVector(b, list, 2)
}
