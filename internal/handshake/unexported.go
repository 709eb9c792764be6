package handshake

import (
	"context"
	stdtls "crypto/tls"
	"reflect"
	"unsafe"
)

// crypto/tls's value types have fields that only crypto/tls can set, and
// methods that need them: ClientHelloInfo.Context, CertificateRequestInfo.Context
// and ConnectionState.ExportKeyingMaterial. On values made by hand the first
// two return nil and the last panics. This file sets the fields. Each is found
// by name and checked by type; if a later Go renames one, nothing is set, and
// the tests fail.

// SetContext sets what the Context method of info returns, which must be a
// *ClientHelloInfo or *CertificateRequestInfo.
func SetContext(info any, ctx context.Context) { setField(info, "ctx", ctx) }

// SetExporter sets what ExportKeyingMaterial calls.
func SetExporter(cs *stdtls.ConnectionState, f func(label string, context []byte, length int) ([]byte, error)) {
	setField(cs, "ekm", f)
}

func setField[T any](structure any, name string, value T) {
	f := reflect.ValueOf(structure).Elem().FieldByName(name)
	if f.IsValid() && f.Type() == reflect.TypeFor[T]() {
		*(*T)(unsafe.Pointer(f.UnsafeAddr())) = value
	}
}
