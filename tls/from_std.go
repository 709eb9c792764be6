package tls

import (
	"reflect"

	stdtls "crypto/tls"
)

// FromStd returns a Config with the fields of a crypto/tls.Config. The ones
// that hold crypto/tls's own session and config types cannot be carried over
// and give an error if set: ClientSessionCache, GetConfigForClient,
// WrapSession and UnwrapSession. Nor are keys set by SetSessionTicketKeys.
func FromStd(std *stdtls.Config) (*Config, error) {
	if std == nil {
		return nil, nil
	}
	if std.ClientSessionCache != nil || std.GetConfigForClient != nil || std.WrapSession != nil || std.UnwrapSession != nil {
		return nil, misuse("ClientSessionCache, GetConfigForClient, WrapSession and UnwrapSession have types of crypto/tls; set them anew")
	}
	c := new(Config)
	from, to := reflect.ValueOf(std).Elem(), reflect.ValueOf(c).Elem()
	for i := range from.NumField() {
		field := from.Type().Field(i)
		if !field.IsExported() || from.Field(i).IsZero() {
			continue
		}
		to.FieldByName(field.Name).Set(from.Field(i))
	}
	return c, nil
}
