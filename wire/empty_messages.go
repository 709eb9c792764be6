package wire

// HelloRequest asks the client to renegotiate. RFC 5246 §7.4.1.1.
//
//	struct { } HelloRequest;
type HelloRequest struct{}

// ServerHelloDone ends the server's first flight up to TLS 1.2. RFC 5246 §7.4.5.
//
//	struct { } ServerHelloDone;
type ServerHelloDone struct{}

// EndOfEarlyData ends a client's 0-RTT data. RFC 8446 §4.5.
//
//	struct { } EndOfEarlyData;
type EndOfEarlyData struct{}

func (*HelloRequest) Type() HandshakeType    { return TypeHelloRequest }
func (*ServerHelloDone) Type() HandshakeType { return TypeServerHelloDone }
func (*EndOfEarlyData) Type() HandshakeType  { return TypeEndOfEarlyData }

func (*HelloRequest) Parse(*Reader, Context)    {}
func (*ServerHelloDone) Parse(*Reader, Context) {}
func (*EndOfEarlyData) Parse(*Reader, Context)  {}

func (*HelloRequest) Append(b []byte, _ Context) []byte    { return b }
func (*ServerHelloDone) Append(b []byte, _ Context) []byte { return b }
func (*EndOfEarlyData) Append(b []byte, _ Context) []byte  { return b }
