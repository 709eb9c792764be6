package httptls_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http/httptest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"

	"github.com/vitrine-tls/vitrine/tls"
)

// grpcTLS is grpc's TransportCredentials over a TLS configuration. gRPC runs
// HTTP/2 itself, so nothing of net/http is in the way.
type grpcTLS struct{ config *tls.Config }

func newGRPC(config *tls.Config) credentials.TransportCredentials {
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	return grpcTLS{config}
}

func (g grpcTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config := g.config.Clone()
	if config.ServerName == "" {
		config.ServerName = authority
		if host, _, err := net.SplitHostPort(authority); err == nil {
			config.ServerName = host
		}
	}
	return handshake(ctx, tls.Client(raw, config))
}

func (g grpcTLS) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return handshake(context.Background(), tls.Server(raw, g.config))
}

func handshake(ctx context.Context, conn *tls.Conn) (net.Conn, credentials.AuthInfo, error) {
	if err := conn.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, credentials.TLSInfo{
		State:          conn.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

func (g grpcTLS) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (g grpcTLS) Clone() credentials.TransportCredentials { return grpcTLS{g.config.Clone()} }

// OverrideServerName is required by the interface; grpc calls it no more.
func (g grpcTLS) OverrideServerName(name string) error {
	g.config.ServerName = name
	return nil
}

// gRPC on both sides.
func Example_grpc() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	srv := grpc.NewServer(grpc.Creds(newGRPC(&tls.Config{Certificates: []tls.Certificate{cert}})))
	healthpb.RegisterHealthServer(srv, health.NewServer())
	go srv.Serve(l)
	defer srv.Stop()

	client, err := grpc.NewClient(l.Addr().String(),
		grpc.WithTransportCredentials(newGRPC(&tls.Config{RootCAs: roots, ServerName: "example.com"})))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	var seen peer.Peer
	answer, err := healthpb.NewHealthClient(client).Check(context.Background(), &healthpb.HealthCheckRequest{}, grpc.Peer(&seen))
	if err != nil {
		log.Fatal(err)
	}
	state := seen.AuthInfo.(credentials.TLSInfo).State
	fmt.Println(answer.Status, "over", tls.VersionName(state.Version))
	// Output: SERVING over TLS 1.3
}
