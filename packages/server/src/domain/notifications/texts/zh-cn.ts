import type { Catalogue } from "./catalogue.ts";

const UNASKED = "如果这不是您的操作，请忽略本消息。请勿将验证码告诉任何人。";
const NOT_YOU = "如果这不是您本人，请立即修改密码并退出所有设备：\n{{site}}/account";

export const zhCn: Catalogue = {
  footer: "{{brand}} · {{site}}",
  messages: {
    "sign-in-code": {
      subject: "{{code}} 是您的{{brand}}登录验证码",
      text: `您的登录验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}`,
      sms: "{{code}} 是您的{{brand}}登录验证码，{{minutes}} 分钟内有效，请勿告诉他人。",
    },
    "magic-link": {
      subject: "您的{{brand}}登录链接",
      text: "请在发起登录的浏览器中打开此链接：\n\n{{link}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n如果这不是您的操作，请忽略本消息。",
    },
    "reset-code": {
      subject: "{{code}} 是您的{{brand}}密码重置验证码",
      text: `您的密码重置验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}您的密码不会改变。`,
      sms: "{{code}} 是您的{{brand}}密码重置验证码，{{minutes}} 分钟内有效，请勿告诉他人。",
    },
    "reset-link": {
      subject: "重置{{brand}}密码",
      text: "请打开此链接设置新密码：\n\n{{link}}\n\n{{minutes}} 分钟内有效，仅可使用一次。在此之前原密码仍然有效。\n\n如果这不是您的操作，请忽略本消息。",
    },
    "new-password": {
      subject: "您的{{brand}}密码",
      text: "您的密码：\n\n{{password}}\n\n请在登录后修改。",
    },
    "unlock-code": {
      subject: "{{code}} 是您的{{brand}}账号解锁验证码",
      text: `您的账号解锁验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}`,
      sms: "{{code}} 是您的{{brand}}账号解锁验证码，{{minutes}} 分钟内有效。",
    },
    "verify-email": {
      subject: "{{code}} 是您的{{brand}}邮箱验证码",
      text: `您的邮箱验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}`,
    },
    "verify-phone": {
      subject: "{{code}} 是您的{{brand}}手机验证码",
      text: `您的手机验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}`,
      sms: "{{code}} 是您的{{brand}}手机验证码，{{minutes}} 分钟内有效。",
    },
    "change-email-old": {
      subject: "{{code}} 是您修改{{brand}}邮箱的验证码",
      text: `有人请求将您账号的邮箱由本邮箱修改为 {{address}}。如同意修改，请输入验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n如果这不是您本人，请勿将验证码告诉任何人，并修改密码：\n{{site}}/account`,
    },
    "change-email-new": {
      subject: "{{code}} 是您的{{brand}}新邮箱验证码",
      text: `您的新邮箱验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}`,
    },
    "change-phone-old": {
      subject: "{{code}} 是您修改{{brand}}手机号的验证码",
      text: `有人请求将您账号的手机号修改为 {{address}}。如同意修改，请输入验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n如果这不是您本人，请勿将验证码告诉任何人，并修改密码：\n{{site}}/account`,
      sms: "{{code}} 用于将您的{{brand}}手机号修改为 {{address}}。如非本人操作，请勿告诉他人。",
    },
    "change-phone-new": {
      subject: "{{code}} 是您的{{brand}}新手机号验证码",
      text: `您的新手机号验证码：\n\n{{code}}\n\n{{minutes}} 分钟内有效，仅可使用一次。\n\n${UNASKED}`,
      sms: "{{code}} 是您的{{brand}}新手机号验证码，{{minutes}} 分钟内有效。",
    },
    "identifier-changed": {
      subject: "您的{{brand}}账号联系方式已修改",
      text: "自 {{time}} 起，您的账号使用 {{address}}，此处将不再收到消息。\n\n如果这不是您本人，请立即联系{{brand}}的管理员。",
      sms: "您的{{brand}}账号现使用 {{address}}。如非本人操作，请立即联系管理员。",
    },
    "username-changed": {
      subject: "您的{{brand}}用户名已修改",
      text: `自 {{time}} 起，您的用户名为：\n\n{{username}}\n\n${NOT_YOU}`,
      sms: "您的{{brand}}用户名现为 {{username}}。如非本人操作，请修改密码。",
    },
    "new-device": {
      subject: "您的{{brand}}账号有新的登录",
      text: `您的账号在一台新设备上登录：\n\n{{device}}\n{{ip}}\n{{time}}\n\n如果是您本人，无需任何操作。${NOT_YOU}`,
      sms: "您的{{brand}}账号有新的登录：{{device}}，{{ip}}。如非本人操作，请修改密码。",
    },
    "factor-added": {
      subject: "您的{{brand}}账号新增了登录方式",
      text: `您的账号于 {{time}} 新增：{{factor}}。\n\n${NOT_YOU}`,
      sms: "您的{{brand}}账号新增：{{factor}}。如非本人操作，请修改密码。",
    },
    "factor-removed": {
      subject: "您的{{brand}}账号移除了登录方式",
      text: `您的账号于 {{time}} 移除：{{factor}}。\n\n${NOT_YOU}`,
      sms: "您的{{brand}}账号移除：{{factor}}。如非本人操作，请修改密码。",
    },
    "password-changed": {
      subject: "您的{{brand}}密码已修改",
      text: "您账号的密码已于 {{time}} 修改。\n\n如果这不是您本人，请立即通过“忘记密码”设置新密码：\n{{site}}/sign-in",
      sms: "您的{{brand}}密码已修改。如非本人操作，请立即设置新密码：{{site}}/sign-in",
    },
    "recovery-used": {
      subject: "您的{{brand}}账号使用了一个恢复代码",
      text: `{{time}} 使用了一个恢复代码，剩余 {{left}} 个。\n\n${NOT_YOU}`,
      sms: "您的{{brand}}账号使用了一个恢复代码。如非本人操作，请修改密码。",
    },
    locked: {
      subject: "您的{{brand}}账号已锁定 {{minutes}} 分钟",
      text: "密码或验证码错误次数过多，最近一次来自 {{ip}}。{{minutes}} 分钟内任何人（包括您）都无法使用密码或验证码登录。\n\n如果这不是您本人，说明有人曾尝试登录，但没有成功。如他人可能知道您的密码，请修改：\n{{site}}/account",
      sms: "您的{{brand}}账号因密码或验证码错误次数过多，已锁定 {{minutes}} 分钟。",
    },
    invitation: {
      subject: "邀请您加入{{organization}}",
      text: "邀请您加入{{brand}}的{{organization}}。如要接受，请打开此链接：\n\n{{link}}\n\n{{days}} 天内有效，仅可使用一次。\n\n如果您不清楚此邀请，请忽略本消息。",
    },
    "account-linked": {
      subject: "您的{{brand}}账号已关联",
      text: `您的账号已于 {{time}} 与{{provider}}关联，现在可以用它登录。\n\n${NOT_YOU}`,
      sms: "您的{{brand}}账号已与{{provider}}关联。如非本人操作，请修改密码。",
    },
    welcome: {
      subject: "您的{{brand}}账号",
      text: "已为您创建{{brand}}账号。您的用户名：\n\n{{username}}\n\n请打开此链接设置密码：\n\n{{link}}\n\n{{days}} 天内有效，仅可使用一次。",
    },
  },
  words: {
    password: "密码",
    totp: "身份验证器",
    passkey: "通行密钥",
    recovery_codes: "恢复代码",
    email: "邮箱",
    phone: "手机号",
    backup_email: "备用邮箱",
    feishu: "飞书",
  },
};
