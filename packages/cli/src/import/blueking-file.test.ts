import { describe, expect, it } from "vitest";
import { readBluekingFile } from "./blueking-file.ts";
import { decodeText, readCsv } from "./read-csv.ts";

describe("a table", () => {
  it("has cells in quotes, with separators, quotes and line breaks in them", () => {
    expect(readCsv('a,b\r\n"1, 2","say ""no"""\r\n\r\n"two\nlines",x\n')).toEqual([
      { line: 1, cells: ["a", "b"] },
      { line: 2, cells: ["1, 2", 'say "no"'] },
      { line: 4, cells: ["two\nlines", "x"] },
    ]);
  });

  it("may have semicolons or tabulators, and no line break at its end", () => {
    expect(readCsv("a;b\n1;2").at(-1)).toEqual({ line: 2, cells: ["1", "2"] });
    expect(readCsv("a\tb\n1,5\t2").at(-1)).toEqual({ line: 2, cells: ["1,5", "2"] });
  });

  it("may be in the encoding of spreadsheets in China", () => {
    expect(decodeText(new Uint8Array([0xd5, 0xc5, 0xc8, 0xfd]))).toBe("张三");
    expect(decodeText(Buffer.from("张三"))).toBe("张三");
  });
});

const ADMIN = {
  username: "zhangsan",
  name: "张三",
  email: "zs@example.com",
  phone: "13800000000",
  departments: [["总公司", "研发部"], ["总公司"]],
  isActive: true,
};

describe("what bk-user exports", () => {
  it("is a table with a note above two-tongued columns", () => {
    const [user] = readBluekingFile(
      "\uFEFF填写须知：…,,,,,,\n" +
        "用户名/username,姓名/full_name,邮箱/email,手机号/phone_number,组织/organizations,直接上级/leaders,年龄/age\n" +
        'zhangsan,张三,zs@example.com,138 0000-0000,"总公司/研发部, 总公司",lisi,41\n',
    );
    expect(user).toMatchObject({ ...ADMIN, row: 3, custom: { age: "41" } });
  });

  it("is a table with the columns of bk-user 2", () => {
    const [user] = readBluekingFile(
      "用户名,全名,邮箱,手机号,组织,上级,账户状态,在职状态\nzhangsan,张三,zs@example.com,13800000000,总公司/研发部;总公司,,正常,在职\n",
    );
    expect(user).toMatchObject(ADMIN);
  });

  it("is the answer of list_users", () => {
    const [user, other] = readBluekingFile(
      JSON.stringify({
        result: true,
        code: 0,
        data: [
          {
            id: 1,
            username: "zhangsan",
            display_name: "张三",
            email: "zs@example.com",
            telephone: "13800000000",
            departments: [
              { id: 2, name: "研发部", full_name: "总公司/研发部" },
              { id: 1, name: "总公司", full_name: "总公司" },
            ],
            status: "NORMAL",
            staff_status: "IN",
            time_zone: "Asia/Shanghai",
            language: "zh-cn",
            qq: "12345",
            extras: { level: "3" },
            leader: [],
          },
          { username: "left", status: "NORMAL", staff_status: "OUT", phone: "5551234", country_code: "1" },
        ],
      }),
    );
    expect(user).toMatchObject({ ...ADMIN, timeZone: "Asia/Shanghai", language: "zh-CN" });
    expect(user?.custom).toEqual({ qq: "12345", level: "3" });
    expect(other).toMatchObject({ isActive: false, phone: "+15551234" });
  });

  it.each([
    ["no table of users", "a,b\n1,2"],
    ["broken JSON", "[{"],
    ["JSON without a list", '{"a":1}'],
    ["empty", ""],
  ])("is refused when it is %s", (_what, text) => {
    expect(() => readBluekingFile(text)).toThrow();
  });
});
