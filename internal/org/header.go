package org

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Column is what a column of a list of employees means.
type Column string

const (
	ColNumber   Column = "number"
	ColName     Column = "name"
	ColUnit     Column = "unit" // may stand several times: a path, level by level
	ColPosition Column = "position"
	ColManager  Column = "manager"
	ColHired    Column = "hired"
	ColLeft     Column = "left"
	ColStatus   Column = "status"
	ColEmail    Column = "email"
	ColLang     Column = "lang"
)

// required are the columns without which a list says too little.
var required = []Column{ColNumber, ColName, ColUnit, ColPosition}

// headings are the names that columns go by, cleaned by plainHeading; the
// first Chinese and the first English one are those we suggest.
var headings = map[Column][]string{
	ColNumber: {"工号", "员工编号", "人员编号", "员工号", "职工号", "职工编号", "员工工号", "编号", "人员工号", "员工代码",
		"number", "employeenumber", "employeeid", "employeeno", "employeecode", "staffnumber", "staffid", "staffno", "personnelnumber", "id", "no", "empid", "empno"},
	ColName: {"姓名", "员工姓名", "名字", "人员姓名", "名称",
		"name", "fullname", "employeename", "staffname", "displayname"},
	ColUnit: {"部门", "所属部门", "部门路径", "组织", "所属组织", "组织路径", "部门全称", "部门名称", "单位", "所在部门", "公司", "集团", "事业部", "区域", "大区", "分公司", "团队", "班组", "小组", "科室", "中心",
		"unit", "department", "dept", "team", "orgunit", "organisation", "organization", "orgpath", "unitpath", "departmentpath", "company", "division", "region", "group", "area"},
	ColPosition: {"岗位", "职位", "岗位名称", "职位名称", "职务", "所属岗位",
		"position", "jobtitle", "title", "job", "positiontitle", "positionname"},
	ColManager: {"直属上级工号", "上级工号", "直属上级", "直接上级", "直接上级工号", "上级", "主管工号", "直属主管", "直属主管工号", "汇报对象", "汇报对象工号", "经理工号", "上级编号", "上级员工编号", "主管",
		"manager", "managernumber", "managerid", "manageremployeeid", "manageremployeenumber", "reportsto", "supervisor", "supervisorid", "supervisornumber", "linemanager", "managerno"},
	ColHired: {"入职日期", "入职时间", "到岗日期", "入司日期", "入司时间", "雇佣日期", "参加工作日期", "入职",
		"hired", "hiredate", "hiredat", "hiringdate", "startdate", "dateofhire", "joined", "joindate", "joiningdate", "employmentdate", "dateofjoining"},
	ColLeft: {"离职日期", "离职时间", "离司日期", "离开日期", "离职",
		"left", "leftat", "leavingdate", "leavedate", "terminationdate", "enddate", "lastday", "exitdate", "leavers", "dateofleaving"},
	ColStatus: {"状态", "员工状态", "在职状态", "人员状态", "是否在职",
		"status", "employmentstatus", "employeestatus", "active"},
	ColEmail: {"邮箱", "电子邮箱", "邮件", "电子邮件", "邮箱地址", "工作邮箱", "企业邮箱",
		"email", "emailaddress", "mail", "workemail"},
	ColLang: {"语言", "界面语言", "首选语言", "语种",
		"language", "lang", "locale", "preferredlanguage"},
}

// siteHeadings are unit columns whose units are places where people meet.
var siteHeadings = []string{"门店", "店铺", "店", "网点", "校区", "院区", "厂区", "工厂", "支行", "营业部", "职场", "站点",
	"site", "store", "shop", "branch", "campus", "plant", "location", "hospital", "school"}

// levelHeading is a unit column by number: 一级部门, 部门2, Level 3, Unit 1.
var levelHeading = regexp.MustCompile(`^(第?[一二三四五六七八九十\d]+级(部门|组织|单位|机构)?|(部门|组织|单位|机构)[一二三四五六七八九十\d]+|(unit|level|department|dept|orglevel|unitlevel)\d+)$`)

// maxHeaderRow is how far down the headings may stand, below a title.
const maxHeaderRow = 10

// noted are words in brackets: 工号（必填）, Hired (yyyy-mm-dd).
var noted = regexp.MustCompile(`[(\[【].*?[)\]】]`)

// plainHeading makes a heading comparable: width, case, spaces, punctuation and
// words in brackets do not count.
func plainHeading(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	s = noted.ReplaceAllString(s, "")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

var headingOf = func() map[string]Column {
	all := map[string]Column{}
	for column, names := range headings {
		for _, n := range names {
			all[n] = column
		}
	}
	for _, n := range siteHeadings {
		all[n] = ColUnit
	}
	return all
}()

// meaning returns the column that a heading names.
func meaning(heading string) (Column, bool) {
	plain := plainHeading(heading)
	if c, ok := headingOf[plain]; ok {
		return c, true
	}
	return ColUnit, levelHeading.MatchString(plain)
}

// suggested returns what a column could be called.
func suggested(c Column) string {
	zh, en := headings[c][0], ""
	for _, n := range headings[c] {
		if n[0] < unicode.MaxASCII {
			en = n
			break
		}
	}
	return zh + " / " + en
}

// tidy trims a cell and puts it into one form: full-width letters and digits,
// and characters that look the same, become the usual ones.
func tidy(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff' })
	for i := range len(s) {
		if s[i] >= 0x80 {
			return norm.NFC.String(s)
		}
	}
	return s
}

// usual is a number, address or date in its usual form: NFKC makes half-width
// of full-width, which would spoil names written with ： or （.
func usual(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return strings.TrimSpace(norm.NFKC.String(s))
		}
	}
	return s
}

// loosely is a number as a hurried person would take two for the same: case,
// spaces and leading zeros, which spreadsheets drop, do not count.
func loosely(number string) string {
	s := strings.ToLower(strings.Join(strings.Fields(number), ""))
	if rest := strings.TrimLeft(s, "0"); rest != "" {
		return rest
	}
	return s
}
