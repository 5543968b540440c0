package text

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"io"
	"math"

	"github.com/go-json-experiment/json"
)

// A file is a line that says what it is, then, compressed by DEFLATE, numbers
// in little-endian order.
const (
	linearMagic = "attune text classifier 1\n"
	indexMagic  = "attune text index 1\n"
	maxHeader   = 16 << 20 // bytes
)

// header is what is known of a classifier besides its weights.
type header struct {
	Recipe Recipe    `json:"recipe"`
	Labels []string  `json:"labels"`
	Card   Card      `json:"card"`
	Step   float32   `json:"step"`
	Bias   []float32 `json:"bias"`
	Scope  scope     `json:"scope"`
}

// Write writes the classifier: a header of JSON, then the n-grams' hashes,
// their squared gains, and their weights.
func (m *Linear) Write(w io.Writer) error {
	head, err := json.Marshal(header{m.Recipe, m.Labels, m.Card, m.step, m.bias, m.scope}, json.Deterministic(true))
	if err != nil {
		return err
	}
	out, done, err := begin(w, linearMagic)
	if err != nil {
		return err
	}
	n := uint32(len(m.words.hash))
	for _, v := range []any{uint32(len(head)), head, n, m.words.hash, m.gain2} {
		if err := binary.Write(out, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	// Class by class: weights of one class are more alike, and pack smaller.
	for c := range m.Labels {
		for f := range n {
			if err := out.WriteByte(byte(m.cell(int32(f), c))); err != nil {
				return err
			}
		}
	}
	return done()
}

// ReadLinear reads a classifier that Write wrote; of anything else it returns
// ErrModel.
func ReadLinear(r io.Reader) (*Linear, error) {
	in, ok := open(r, linearMagic)
	if !ok {
		return nil, ErrModel
	}
	var size, n uint32
	if binary.Read(in, binary.LittleEndian, &size) != nil || size > maxHeader {
		return nil, ErrModel
	}
	text := make([]byte, size)
	var h header
	if _, err := io.ReadFull(in, text); err != nil || json.Unmarshal(text, &h) != nil {
		return nil, ErrModel
	}
	classes := len(h.Labels)
	if binary.Read(in, binary.LittleEndian, &n) != nil || classes < 2 || len(h.Bias) != classes || h.Card.Temperature <= 0 ||
		uint64(n)*uint64(classes+8) > 1<<30 {
		return nil, ErrModel
	}
	m := &Linear{Recipe: h.Recipe, Labels: h.Labels, Card: h.Card, step: h.Step, bias: h.Bias, scope: h.Scope, lanes: (classes + 7) / 8}
	hashes, ok1 := column[uint32](in, n)
	gain2, ok2 := column[float32](in, n)
	if !ok1 || !ok2 {
		return nil, ErrModel
	}
	m.words, m.gain2 = newVocabulary(hashes), gain2
	m.cells = make([]uint64, int(n)*m.lanes)
	for i := range m.cells {
		m.cells[i] = 0x8080808080808080
	}
	line := make([]byte, n)
	for c := range classes {
		if _, err := io.ReadFull(in, line); err != nil {
			return nil, ErrModel
		}
		for f, q := range line {
			at := f*m.lanes + c/8
			m.cells[at] ^= uint64((q+128)^128) << (8 * (c % 8))
		}
	}
	return m, nil
}

// begin writes the magic line; what is written to out after it is compressed.
func begin(w io.Writer, magic string) (out *bufio.Writer, done func() error, err error) {
	if _, err := io.WriteString(w, magic); err != nil {
		return nil, nil, err
	}
	z, err := flate.NewWriter(w, flate.DefaultCompression)
	if err != nil {
		return nil, nil, err
	}
	out = bufio.NewWriterSize(z, 1<<16)
	return out, func() error {
		if err := out.Flush(); err != nil {
			return err
		}
		return z.Close()
	}, nil
}

func open(r io.Reader, magic string) (*bufio.Reader, bool) {
	in := bufio.NewReader(r)
	line := make([]byte, len(magic))
	if _, err := io.ReadFull(in, line); err != nil || string(line) != magic {
		return nil, false
	}
	return bufio.NewReaderSize(flate.NewReader(in), 1<<16), true
}

// column reads n numbers, piece by piece: a file that lies about its length
// must not take the memory it lies about.
func column[T uint32 | float32](in io.Reader, n uint32) ([]T, bool) {
	var out []T
	for n > 0 {
		part := make([]T, min(n, 1<<16))
		if binary.Read(in, binary.LittleEndian, part) != nil {
			return nil, false
		}
		out, n = append(out, part...), n-uint32(len(part))
	}
	return out, true
}

// Write writes the index: identifiers and sizes of the passages that are
// there, then each gram's postings as the distances between their numbers.
func (x *Index) Write(w io.Writer) error {
	if x.gone > 0 {
		x.compact()
	}
	out, done, err := begin(w, indexMagic)
	if err != nil {
		return err
	}
	var buf []byte
	put := func(v uint64) error {
		buf = binary.AppendUvarint(buf[:0], v)
		_, err := out.Write(buf)
		return err
	}
	if err := put(uint64(len(x.ids))); err != nil {
		return err
	}
	for doc, id := range x.ids {
		if err := put(uint64(len(id))); err != nil {
			return err
		}
		if _, err := out.WriteString(id); err != nil {
			return err
		}
		if err := put(uint64(x.size[doc])); err != nil {
			return err
		}
	}
	if err := put(uint64(len(x.terms))); err != nil {
		return err
	}
	for _, h := range sortedTerms(x.terms) {
		p := *x.terms[h]
		if err := put(uint64(h)); err != nil {
			return err
		}
		if err := put(uint64(len(p))); err != nil {
			return err
		}
		last := uint32(0)
		for _, e := range p {
			if err := put(uint64((e>>tfBits-last)<<tfBits | e&maxTF)); err != nil {
				return err
			}
			last = e >> tfBits
		}
	}
	return done()
}

// ReadIndex reads an index that Write wrote; of anything else it returns
// ErrIndex.
func ReadIndex(r io.Reader) (*Index, error) {
	in, ok := open(r, indexMagic)
	if !ok {
		return nil, ErrIndex
	}
	var failed error
	get := func(most uint64) uint64 {
		v, err := binary.ReadUvarint(in)
		if err != nil || v > most {
			failed = ErrIndex
			return 0
		}
		return v
	}
	x := &Index{at: map[string]uint32{}, terms: map[uint32]*postings{}}
	docs := get(math.MaxUint32 >> tfBits)
	for range docs {
		id := make([]byte, get(1<<16))
		if _, err := io.ReadFull(in, id); err != nil || failed != nil || x.Has(string(id)) {
			return nil, ErrIndex
		}
		size := float32(get(math.MaxUint32))
		x.at[string(id)] = uint32(len(x.ids))
		x.ids, x.size, x.score = append(x.ids, string(id)), append(x.size, size), append(x.score, 0)
		x.total += float64(size)
	}
	for range get(math.MaxUint32) {
		h, n := uint32(get(math.MaxUint32)), get(docs)
		p := make(postings, 0, min(n, 1<<16))
		last := uint64(0)
		for range n {
			v := get(math.MaxUint32)
			doc := last + v>>tfBits
			if failed != nil || doc >= docs || v&maxTF == 0 || len(p) > 0 && doc == last {
				return nil, ErrIndex
			}
			p, last = append(p, uint32(doc)<<tfBits|uint32(v&maxTF)), doc
		}
		x.terms[h] = &p
	}
	if failed != nil {
		return nil, ErrIndex
	}
	return x, nil
}
