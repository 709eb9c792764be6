package wire

// nameTypeHost is the one NameType that there is. RFC 6066 §3.
const nameTypeHost = 0

// ReadServerName reads the ServerNameList of a ClientHello, and returns its DNS
// name, "" for none. There is at most one; names of other types are passed over.
// RFC 6066 §3.
//
//	struct {
//	    NameType name_type;                 // host_name (0)
//	    opaque HostName<1..2^16-1>;         // other types start with a length too
//	} ServerName;
//
//	struct {
//	    ServerName server_name_list<1..2^16-1>
//	} ServerNameList;
func ReadServerName(r *Reader) (host string) {
	m := r.Open("server_name_list", 2, 1, 0xffff)
	hosts := 0
	for r.More() {
		if U8[uint8](r, "name_type") != nameTypeHost {
			r.Opaque("name", 2, 0, 0xffff)
			continue
		}
		n := r.Open("host_name", 2, 1, 0xffff)
		host = string(r.Text("host_name", r.Left()))
		r.Close("host_name", n)
		hosts++
	}
	r.Close("server_name_list", m)
	if hosts > 1 {
		r.Illegal("server_name_list", "it has more than one host_name")
	}
	return host
}

// AppendServerName appends a ServerNameList with host in it.
func AppendServerName(b []byte, host string) []byte {
	b, list := openVector(b, 2)
	b = append(b, nameTypeHost)
	b, name := openVector(b, 2)
	b = closeVector(append(b, host...), name, 2)
	return closeVector(b, list, 2)
}
