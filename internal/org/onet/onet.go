// Package onet holds O*NET 29.3, the United States' description of
// occupations, inside the binary: what an occupation is called, what its people
// do, and how important each skill, knowledge area and work style is for it.
//
// A position takes its first requirements from here. The importances were
// rated by people who do the work, by experts or by analysts, of the United
// States; the levels are a provisional start until the company's own experts
// have set theirs.
//
// The data are the O*NET 29.3 Database by the U.S. Department of Labor,
// Employment and Training Administration (USDOL/ETA), used under the CC BY 4.0
// licence, and modified: a part of the files, packed, with values put on other
// scales and with Chinese names added here. O*NET® is a trademark of USDOL/ETA,
// which has not approved, endorsed or tested these modifications.
//
// Nothing is unpacked before it is asked for; each part is unpacked once and
// then kept. All functions may be called from several goroutines.
package onet

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
)

//go:generate go run gen.go --from $ONET --to onet.bin

// Version is the release of O*NET that is inside.
const Version = "29.3"

// Attribution must be shown where the data are.
const Attribution = "This product includes information from the O*NET 29.3 Database by the U.S. Department of Labor, " +
	"Employment and Training Administration (USDOL/ETA). Used under the CC BY 4.0 license. " +
	"O*NET® is a trademark of USDOL/ETA. Attune has modified all or some of this information. " +
	"USDOL/ETA has not approved, endorsed, or tested these modifications."

// packed is written by gen.go: sections of name, unpacked and packed length,
// and deflated columns.
//
//go:embed onet.bin
var packed []byte

// columns are what is left to read of one unpacked section.
type columns []byte

// section unpacks a part of the embedded file. A fault in it is a fault of the
// build, which no caller can mend.
func section(name string) columns {
	b := packed[len("ONET"):]
	for len(b) > 0 {
		n := int(b[0])
		this := string(b[1 : 1+n])
		b = b[1+n:]
		size := uvarint(&b)
		length := uvarint(&b)
		if this != name {
			b = b[length:]
			continue
		}
		raw := make([]byte, size)
		if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(b[:length])), raw); err != nil {
			panic(fmt.Sprintf("onet: section %s: %v", name, err))
		}
		return raw
	}
	panic("onet: no section " + name)
}

func (c *columns) next() []byte {
	b := (*[]byte)(c)
	n := uvarint(b)
	col := (*b)[:n:n]
	*b = (*b)[n:]
	return col
}

func (c *columns) strings() list { return newList(c.next()) }

func (c *columns) uint16s() []uint16 {
	b := c.next()
	v := make([]uint16, len(b)/2)
	for i := range v {
		v[i] = uint16(b[i])<<8 | uint16(b[len(v)+i])
	}
	return v
}

// uvarint takes a number off the front of b.
func uvarint(b *[]byte) int {
	v, n := binary.Uvarint(*b)
	if n <= 0 {
		panic("onet: a number is cut off")
	}
	*b = (*b)[n:]
	return int(v)
}

func varint(b *[]byte) int {
	v, n := binary.Varint(*b)
	if n <= 0 {
		panic("onet: a number is cut off")
	}
	*b = (*b)[n:]
	return int(v)
}

// list is many strings in one, so that they cost 4 bytes each and not 16.
type list struct {
	text string
	ends []uint32 // where each ends; a newline follows
}

func newList(lines []byte) list {
	l := list{text: string(lines), ends: make([]uint32, 0, bytes.Count(lines, []byte{'\n'}))}
	for i := 0; i < len(l.text); {
		n := strings.IndexByte(l.text[i:], '\n')
		l.ends = append(l.ends, uint32(i+n))
		i += n + 1
	}
	return l
}

func (l list) len() int { return len(l.ends) }

func (l list) at(i int) string {
	from := uint32(0)
	if i > 0 {
		from = l.ends[i-1] + 1
	}
	return l.text[from:l.ends[i]]
}

// starts turns counts into where each group begins, with the end of the last.
func starts(counts []int) []int32 {
	at := make([]int32, len(counts)+1)
	for i, n := range counts {
		at[i+1] = at[i] + int32(n)
	}
	return at
}

// chinese reads a table of Chinese texts: a key, a tab, the text, and perhaps
// a tab and more; # begins a comment.
func chinese(table string) map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		m[f[0]] = f[1:]
	}
	return m
}

var (
	//go:embed zh_elements.txt
	zhElementsText string
	//go:embed zh_occupations.txt
	zhOccupationsText string
	//go:embed zh_tasks.txt
	zhTasksText string
	//go:embed zh_aliases.txt
	zhAliasesText string

	zhElements    = sync.OnceValue(func() map[string][]string { return chinese(zhElementsText) })
	zhOccupations = sync.OnceValue(func() map[string][]string { return chinese(zhOccupationsText) })
	zhTasks       = sync.OnceValue(func() map[string][]string { return chinese(zhTasksText) })
)
