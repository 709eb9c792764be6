package wire

// RecordHeaderLen is the size of a record's header. RFC 8446 §5.1.
//
//	struct {
//	    ContentType type;
//	    ProtocolVersion legacy_record_version;
//	    uint16 length;
//	    opaque fragment[TLSPlaintext.length];
//	} TLSPlaintext;
const RecordHeaderLen = 5

// DecodeRecordHeader reads the header that raw starts with, for show.
func DecodeRecordHeader(raw []byte, rec *Recorder) (t ContentType, v Version, length int, err error) {
	r := NewReader(raw[:min(len(raw), RecordHeaderLen)], rec)
	t = U8[ContentType](&r, "type")
	v = U16[Version](&r, "legacy_record_version")
	length = int(U16[uint16](&r, "length"))
	return t, v, length, r.Finish("record header")
}

// Alert is the content of an alert record. RFC 8446 §6.
//
//	struct {
//	    AlertLevel level;
//	    AlertDescription description;
//	} Alert;
type Alert struct {
	Level AlertLevel
	Code  AlertCode
}

// DecodeAlert parses the content of an alert record: exactly two bytes.
func DecodeAlert(content []byte, rec *Recorder) (Alert, error) {
	r := NewReader(content, rec)
	a := Alert{U8[AlertLevel](&r, "level"), U8[AlertCode](&r, "description")}
	return a, r.Finish("alert")
}

// Append appends the alert's two bytes.
func (a Alert) Append(b []byte) []byte { return append(b, byte(a.Level), byte(a.Code)) }

// ChangeCipherSpecContent is the one content a change_cipher_spec record may
// have. RFC 5246 §7.1, RFC 8446 §5.
//
//	struct {
//	    enum { change_cipher_spec(1), (255) } type;
//	} ChangeCipherSpec;
const ChangeCipherSpecContent = 1
