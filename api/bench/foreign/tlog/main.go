// Go's golang.org/x/mod/sumdb/tlog on plain files: `tlog append FOLDER CALLERS` and
// `tlog prove FOLDER`.
//
// append: as many records at a time as there are callers, each written to a file of records and its hashes to a file of hashes, both fsynced:
// what group commit costs without encryption, database, tree checks or a guard.
// prove: inclusion proofs at random indices of a tree of the records told first, from the file of hashes.
//
// Both read numbers, one a line, and answer each with "<items> <seconds>"; prove adds the seconds of the median and of
// the 99th percentile. The first line written names the versions.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"log"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

type store struct {
	records, hashes *os.File
	size, callers   int64
}

func open(folder string) *store {
	create := func(name string) *os.File {
		file, err := os.Create(filepath.Join(folder, name))
		must(err)
		return file
	}
	return &store{records: create("tlog.records"), hashes: create("tlog.hashes")}
}

// ReadHashes reads from the file, as a log larger than memory would.
func (s *store) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if _, err := s.hashes.ReadAt(found[i][:], index*tlog.HashSize); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *store) append(record []byte) {
	hashes, err := tlog.StoredHashes(s.size, record, s)
	must(err)
	joined := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, hash := range hashes {
		joined = append(joined, hash[:]...)
	}
	_, err = s.hashes.WriteAt(joined, tlog.StoredHashIndex(0, s.size)*tlog.HashSize)
	must(err)
	_, err = s.records.Write(record)
	must(err)
	s.size++
}

func (s *store) sync() {
	must(s.records.Sync())
	must(s.hashes.Sync())
}

func record(number int64) []byte {
	text := make([]byte, 400) // about as long as a sealed access record
	binary.BigEndian.PutUint64(text, uint64(number))
	return text
}

func appending(s *store, count int64) string {
	started := time.Now()
	for done := int64(0); done < count; done++ {
		s.append(record(s.size))
		if s.size%s.callers == 0 {
			s.sync()
		}
	}
	s.sync()
	return fmt.Sprint(count, " ", time.Since(started).Seconds())
}

func proving(s *store, count int64) string {
	if s.size == 0 { // the first number is the size of the tree
		started := time.Now()
		for s.size < count {
			s.append(record(s.size)[:8])
		}
		return fmt.Sprint(count, " ", time.Since(started).Seconds(), " 0 0")
	}
	root, err := tlog.TreeHash(s.size, s)
	must(err)
	took := make([]float64, count)
	started := time.Now()
	for i := range took {
		index := rand.Int63n(s.size)
		before := time.Now()
		proof, err := tlog.ProveRecord(s.size, index, s)
		took[i] = time.Since(before).Seconds()
		must(err)
		must(tlog.CheckRecord(proof, s.size, root, index, tlog.RecordHash(record(index)[:8])))
	}
	total := time.Since(started).Seconds()
	sort.Float64s(took)
	return fmt.Sprint(count, " ", total, " ", took[count/2], " ", took[count*99/100])
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	answer := map[string]func(*store, int64) string{"append": appending, "prove": proving}[os.Args[1]]
	s := open(os.Args[2])
	if len(os.Args) > 3 {
		callers, err := strconv.ParseInt(os.Args[3], 10, 64)
		must(err)
		s.callers = callers
	}
	fmt.Println("x/mod/sumdb/tlog,", runtime.Version())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		count, err := strconv.ParseInt(lines.Text(), 10, 64)
		must(err)
		fmt.Println(answer(s, count))
	}
}
