//go:build ignore

// Gen packs the text files of an O*NET release into onet.bin, which the
// package embeds. The same release gives the same bytes.
//
//	go run ./internal/org/onet/gen.go --from DIR [--to FILE]
//
// DIR holds the tab-separated files of O*NET 29.3 under their own names, and
// the hand-typed "Task Ratings 43-4051 (transcribed).csv".
package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	from := flag.String("from", "", "folder with the release's text files")
	to := flag.String("to", "internal/org/onet/onet.bin", "file to write")
	flag.Parse()
	if *from == "" {
		log.Fatal("gen: --from DIR is required")
	}
	dir = *from
	file := []byte("ONET")
	occ, codes := occupations()
	for _, s := range []struct {
		name string
		cols [][]byte
	}{
		{"occupations", occ},
		{"titles", titles(codes)},
		{"tasks", tasks(codes)},
		{"elements", elements()},
		{"skills", ratings("Skills.txt", codes)},
		{"knowledge", ratings("Knowledge.txt", codes)},
		{"styles", ratings("Work Styles.txt", codes)},
		{"related", related(codes)},
	} {
		var raw []byte
		for _, c := range s.cols {
			raw = binary.AppendUvarint(raw, uint64(len(c)))
			raw = append(raw, c...)
		}
		packed := deflate(raw)
		file = append(file, byte(len(s.name)))
		file = append(file, s.name...)
		file = binary.AppendUvarint(file, uint64(len(raw)))
		file = binary.AppendUvarint(file, uint64(len(packed)))
		file = append(file, packed...)
		fmt.Printf("%-12s %9d → %8d bytes\n", s.name, len(raw), len(packed))
	}
	if err := os.WriteFile(*to, file, 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%-12s %22d bytes\n", *to, len(file))
}

var dir string

// table reads a tab-separated file, checks its header and returns its rows.
// Quotes are ordinary characters in these files, so encoding/csv cannot read them.
func table(name string, header ...string) [][]string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		log.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	head := strings.Split(lines[0], "\t")
	if len(head) < len(header) || !slices.Equal(head[:len(header)], header) {
		log.Fatalf("%s: header is %q, want %q", name, head, header)
	}
	rows := make([][]string, 0, len(lines)-1)
	for i, l := range lines[1:] {
		r := strings.Split(l, "\t")
		if len(r) != len(head) {
			log.Fatalf("%s:%d: %d fields, want %d", name, i+2, len(r), len(head))
		}
		rows = append(rows, r)
	}
	return rows
}

func occupations() (cols [][]byte, codes map[string]int) {
	zone := map[string]byte{}
	for _, r := range table("Job Zones.txt", "O*NET-SOC Code", "Title", "Job Zone") {
		zone[r[0]] = byte(whole(r[2], 1))
	}
	codes = map[string]int{}
	var code, title, text []string
	var zones []byte
	for i, r := range table("Occupation Data.txt", "O*NET-SOC Code", "Title", "Description") {
		codes[r[0]] = i
		code, title, text = append(code, r[0]), append(title, r[1]), append(text, r[2])
		zones = append(zones, zone[r[0]])
	}
	return [][]byte{lines(code), lines(title), lines(text), zones}, codes
}

// titles stores each alternate title once, in byte order and without the
// prefix it shares with the one before; an occupation's are then ascending
// numbers, stored as differences.
func titles(codes map[string]int) [][]byte {
	type alt struct{ title, short string }
	per := make([][]alt, len(codes))
	var all []string
	for _, r := range table("Alternate Titles.txt", "O*NET-SOC Code", "Title", "Alternate Title", "Short Title") {
		o := codes[r[0]]
		per[o] = append(per[o], alt{r[2], r[3]})
		all = append(all, r[2])
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var shared []byte
	var rest []string
	for i, t := range all {
		n := 0
		if i > 0 {
			for n < len(t) && n < len(all[i-1]) && n < 255 && t[n] == all[i-1][n] {
				n++
			}
		}
		shared, rest = append(shared, byte(n)), append(rest, t[n:])
	}
	var counts, ids, hasShort []byte
	var shorts []string
	for _, alts := range per {
		slices.SortStableFunc(alts, func(a, b alt) int { return strings.Compare(a.title, b.title) })
		counts = binary.AppendUvarint(counts, uint64(len(alts)))
		before := 0
		for _, a := range alts {
			id, _ := slices.BinarySearch(all, a.title)
			ids = binary.AppendUvarint(ids, uint64(id-before))
			before = id
			if a.short != "" {
				hasShort = append(hasShort, 1)
				shorts = append(shorts, a.short)
			} else {
				hasShort = append(hasShort, 0)
			}
		}
	}
	return [][]byte{shared, lines(rest), counts, ids, hasShort, lines(shorts)}
}

func tasks(codes map[string]int) [][]byte {
	rated := map[string][]string{}
	f, err := os.Open(filepath.Join(dir, "Task Ratings 43-4051 (transcribed).csv"))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range rows[1:] {
		rated[r[0]+" "+r[1]] = r[2:]
	}
	var counts = make([]uint64, len(codes))
	var ids, kinds, asked, ratingAt, ratingIs []byte
	var text []string
	before, at := 0, 0
	byOcc := table("Task Statements.txt", "O*NET-SOC Code", "Title", "Task ID", "Task", "Task Type", "Incumbents Responding")
	slices.SortStableFunc(byOcc, func(a, b []string) int { return codes[a[0]] - codes[b[0]] })
	for i, r := range byOcc {
		counts[codes[r[0]]]++
		id := int(whole(r[2], 1))
		ids = binary.AppendVarint(ids, int64(id-before))
		before = id
		kinds = append(kinds, byte(slices.Index([]string{"", "Core", "Supplemental"}, r[4])))
		n := uint64(0)
		if r[5] != "" {
			n = whole(r[5], 1)
		}
		asked = binary.AppendUvarint(asked, n)
		text = append(text, r[3])
		if v, ok := rated[r[0]+" "+r[2]]; ok {
			ratingAt = binary.AppendUvarint(ratingAt, uint64(i-at))
			at = i
			for _, x := range v {
				ratingIs = binary.AppendUvarint(ratingIs, whole(x, 100))
			}
			delete(rated, r[0]+" "+r[2])
		}
	}
	for k := range rated {
		log.Fatalf("rated task %s is not among the statements", k)
	}
	var count []byte
	for _, n := range counts {
		count = binary.AppendUvarint(count, n)
	}
	return [][]byte{count, ids, kinds, asked, lines(text), ratingAt, ratingIs}
}

// elements are those that an occupation is rated on here: skills (2.A, 2.B),
// knowledge (2.C), work styles (1.C).
func elements() [][]byte {
	used := map[string]bool{}
	for _, f := range []string{"Skills.txt", "Knowledge.txt", "Work Styles.txt"} {
		for _, r := range table(f, "O*NET-SOC Code", "Title", "Element ID") {
			used[r[2]] = true
		}
	}
	var id, name, text, anchor []string
	for _, r := range table("Content Model Reference.txt", "Element ID", "Element Name", "Description") {
		if used[r[0]] {
			id, name, text = append(id, r[0]), append(name, r[1]), append(text, r[2])
		}
	}
	var of, value []byte
	for _, r := range table("Level Scale Anchors.txt", "Element ID", "Element Name", "Scale ID", "Scale Name", "Anchor Value", "Anchor Description") {
		if i := slices.Index(id, r[0]); i >= 0 {
			of, value, anchor = append(of, byte(i)), append(value, byte(whole(r[4], 1))), append(anchor, r[5])
		}
	}
	return [][]byte{lines(id), lines(name), lines(text), of, value, lines(anchor)}
}

// ratings stores the values element by element, where neighbours are alike,
// the high bytes apart from the low ones.
func ratings(name string, codes map[string]int) [][]byte {
	type key struct {
		occ     int
		element string
		scale   string
	}
	rows := table(name, "O*NET-SOC Code", "Title", "Element ID", "Element Name", "Scale ID", "Scale Name", "Data Value", "N", "Standard Error", "Lower CI Bound", "Upper CI Bound", "Recommend Suppress")
	relevance := 12
	if name == "Work Styles.txt" {
		relevance = -1
	}
	by := map[key][]string{}
	var occs []int
	var elements, scales []string
	date, source := map[int]string{}, map[int]string{}
	for _, r := range rows {
		o := codes[r[0]]
		by[key{o, r[2], r[4]}] = r
		occs, elements, scales = append(occs, o), append(elements, r[2]), append(scales, r[4])
		d, s := r[len(r)-2], r[len(r)-1]
		if date[o] != "" && (date[o] != d || source[o] != s) {
			log.Fatalf("%s: %s has two dates or sources", name, r[0])
		}
		date[o], source[o] = d, s
	}
	slices.Sort(occs)
	occs = slices.Compact(occs)
	slices.Sort(elements)
	elements = slices.Compact(elements)
	slices.Sort(scales)
	scales = slices.Compact(scales)
	if len(by) != len(rows) || len(rows) != len(occs)*len(elements)*len(scales) {
		log.Fatalf("%s: not every occupation has every element once", name)
	}
	var which []byte
	before := 0
	var dates, sources []string
	for _, o := range occs {
		which = binary.AppendUvarint(which, uint64(o-before))
		before = o
		dates, sources = append(dates, date[o]), append(sources, source[o])
	}
	var value, se []uint16
	var n, flags []byte
	for _, s := range scales {
		for _, e := range elements {
			for _, o := range occs {
				r := by[key{o, e, s}]
				value = append(value, uint16(whole(r[6], 100)))
				x := uint16(math.MaxUint16) // not published
				if r[8] != "" {
					x = uint16(whole(r[8], 10000))
				}
				se = append(se, x)
				k := byte(0) // not published
				if r[7] != "" {
					k = byte(whole(r[7], 1))
				}
				n = append(n, k)
				f := byte(slices.Index([]string{"N", "Y", ""}, r[11]))
				if relevance > 0 && r[relevance] == "Y" {
					f |= 4
				}
				flags = append(flags, f)
			}
		}
	}
	return [][]byte{lines(elements), lines(scales), which, lines(dates), lines(sources), planes(value), planes(se), n, flags}
}

func related(codes map[string]int) [][]byte {
	per := make([][]int, len(codes))
	for _, r := range table("Related Occupations.txt", "O*NET-SOC Code", "Title", "Related O*NET-SOC Code", "Related Title", "Relatedness Tier", "Index") {
		o := codes[r[0]]
		per[o] = append(per[o], codes[r[2]])
		k := len(per[o])
		if tier := []string{"Primary-Short", "Primary-Long", "Supplemental", "Supplemental"}[(k-1)/5]; r[4] != tier || r[5] != strconv.Itoa(k) {
			log.Fatalf("related occupations of %s are not in order", r[0])
		}
	}
	var counts []byte
	var to []uint16
	for _, p := range per {
		counts = append(counts, byte(len(p)))
		for _, o := range p {
			to = append(to, uint16(o))
		}
	}
	return [][]byte{counts, planes(to)}
}

// lines ends every string with a newline.
func lines(s []string) []byte {
	var b []byte
	for _, x := range s {
		if strings.ContainsAny(x, "\r\n") {
			log.Fatalf("line break in %q", x)
		}
		b = append(append(b, x...), '\n')
	}
	return b
}

func planes(v []uint16) []byte {
	b := make([]byte, 2*len(v))
	for i, x := range v {
		b[i], b[len(v)+i] = byte(x>>8), byte(x)
	}
	return b
}

// whole reads a decimal times scale, which must be a whole number that is not
// negative: nothing is rounded away.
func whole(s string, scale float64) uint64 {
	v, err := strconv.ParseFloat(s, 64)
	w := math.Round(v * scale)
	if err != nil || v < 0 || math.Abs(v*scale-w) > 1e-6 {
		log.Fatalf("%q is not a whole number of 1/%g", s, scale)
	}
	return uint64(w)
}

func deflate(raw []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return out.Bytes()
}
