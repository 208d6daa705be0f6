import type { Catalogue } from "./catalogue.ts";

const UNASKED = "If you did not ask for this, ignore this message. Never give the code to anybody.";
const NOT_YOU = "If this was not you, change your password and sign out everywhere:\n{{site}}/account";

export const en: Catalogue = {
  footer: "{{brand}} · {{site}}",
  messages: {
    "sign-in-code": {
      subject: "{{code}} is your code for {{brand}}",
      text: `Your code to sign in:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED}`,
      sms: "{{code}} is your code to sign in to {{brand}}. It works for {{minutes}} minutes. Give it to nobody.",
    },
    "magic-link": {
      subject: "Your link to sign in to {{brand}}",
      text: "Open this link in the browser in which you asked for it:\n\n{{link}}\n\nIt works once, for {{minutes}} minutes.\n\nIf you did not ask for this, ignore this message.",
    },
    "reset-code": {
      subject: "{{code}} is your code to set a new password for {{brand}}",
      text: `Your code to set a new password:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED} Your password stays as it is.`,
      sms: "{{code}} is your code to set a new password for {{brand}}. It works for {{minutes}} minutes. Give it to nobody.",
    },
    "reset-link": {
      subject: "A new password for {{brand}}",
      text: "To choose a new password, open this link:\n\n{{link}}\n\nIt works once, for {{minutes}} minutes. Until then your password stays as it is.\n\nIf you did not ask for it, ignore this message.",
    },
    "new-password": {
      subject: "Your password for {{brand}}",
      text: "Your password:\n\n{{password}}\n\nChange it when you have signed in.",
    },
    "unlock-code": {
      subject: "{{code}} is your code to unlock your account at {{brand}}",
      text: `Your code to unlock your account:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED}`,
      sms: "{{code}} is your code to unlock your account at {{brand}}. It works for {{minutes}} minutes.",
    },
    "verify-email": {
      subject: "{{code}} is your code to confirm this address for {{brand}}",
      text: `Your code to confirm this e-mail address:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED}`,
    },
    "verify-phone": {
      subject: "{{code}} is your code to confirm a phone number for {{brand}}",
      text: `Your code to confirm a phone number:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED}`,
      sms: "{{code}} is your code to confirm this number for {{brand}}. It works for {{minutes}} minutes.",
    },
    "change-email-old": {
      subject: "{{code}} is your code to change your e-mail address at {{brand}}",
      text: `Somebody asks to change the e-mail address of your account from this one to {{address}}. To allow it, enter this code:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\nIf this was not you, give the code to nobody and change your password:\n{{site}}/account`,
    },
    "change-email-new": {
      subject: "{{code}} is your code to confirm your new address for {{brand}}",
      text: `Your code to confirm your new e-mail address:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED}`,
    },
    "change-phone-old": {
      subject: "{{code}} is your code to change your phone number at {{brand}}",
      text: `Somebody asks to change the phone number of your account to {{address}}. To allow it, enter this code:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\nIf this was not you, give the code to nobody and change your password:\n{{site}}/account`,
      sms: "{{code}} allows {{brand}} to change your phone number to {{address}}. Not you? Give it to nobody.",
    },
    "change-phone-new": {
      subject: "{{code}} is your code to confirm your new phone number for {{brand}}",
      text: `Your code to confirm your new phone number:\n\n{{code}}\n\nIt works once, for {{minutes}} minutes.\n\n${UNASKED}`,
      sms: "{{code}} is your code to confirm this number for {{brand}}. It works for {{minutes}} minutes.",
    },
    "identifier-changed": {
      subject: "Your account at {{brand}} has a new address",
      text: `Since {{time}} your account uses {{address}}. Messages no longer come here.\n\nIf this was not you, tell the people who run {{brand}} at once.`,
      sms: "Your account at {{brand}} now uses {{address}}. Not you? Tell the people who run it at once.",
    },
    "username-changed": {
      subject: "Your username at {{brand}} was changed",
      text: `Since {{time}} your username is:\n\n{{username}}\n\n${NOT_YOU}`,
      sms: "Your username at {{brand}} is now {{username}}. Not you? Change your password.",
    },
    "new-device": {
      subject: "New sign-in to your account at {{brand}}",
      text: `Your account was used on a device that we had not seen before:\n\n{{device}}\n{{ip}}\n{{time}}\n\nIf this was you, there is nothing to do. ${NOT_YOU}`,
      sms: "New sign-in to your account at {{brand}}: {{device}}, {{ip}}. Not you? Change your password.",
    },
    "factor-added": {
      subject: "New way to sign in to your account at {{brand}}",
      text: `This was added to your account at {{time}}: {{factor}}.\n\n${NOT_YOU}`,
      sms: "Added to your account at {{brand}}: {{factor}}. Not you? Change your password.",
    },
    "factor-removed": {
      subject: "A way to sign in was removed from your account at {{brand}}",
      text: `This was removed from your account at {{time}}: {{factor}}.\n\n${NOT_YOU}`,
      sms: "Removed from your account at {{brand}}: {{factor}}. Not you? Change your password.",
    },
    "password-changed": {
      subject: "Your password at {{brand}} was changed",
      text: "The password of your account was changed at {{time}}.\n\nIf this was not you, set a new one at once with “Forgotten your password?”:\n{{site}}/sign-in",
      sms: "Your password at {{brand}} was changed. Not you? Set a new one at once: {{site}}/sign-in",
    },
    "recovery-used": {
      subject: "A recovery code of your account at {{brand}} was used",
      text: `A recovery code was used at {{time}}. You have {{left}} left.\n\n${NOT_YOU}`,
      sms: "A recovery code of your account at {{brand}} was used. Not you? Change your password.",
    },
    locked: {
      subject: "Your account at {{brand}} is locked for {{minutes}} minutes",
      text: "A wrong password or code was given too often, last from {{ip}}. Nobody can sign in with one for {{minutes}} minutes, not even you.\n\nIf this was not you, your password has kept them out. Choose another one if others may know it:\n{{site}}/account",
      sms: "Your account at {{brand}} is locked for {{minutes}} minutes: a wrong password or code was given too often.",
    },
    invitation: {
      subject: "Invitation to {{organization}}",
      text: "You are invited to {{organization}} at {{brand}}. To accept, open this link:\n\n{{link}}\n\nIt works once, for {{days}} days.\n\nIf you do not expect this, ignore this message.",
    },
    "account-linked": {
      subject: "Your account at {{brand}} was linked",
      text: `Your account was linked with {{provider}} at {{time}}. You can sign in with it now.\n\n${NOT_YOU}`,
      sms: "Your account at {{brand}} was linked with {{provider}}. Not you? Change your password.",
    },
    welcome: {
      subject: "Your account at {{brand}}",
      text: "There is an account for you at {{brand}}. Your username:\n\n{{username}}\n\nTo choose a password, open this link:\n\n{{link}}\n\nIt works once, for {{days}} days.",
    },
  },
  words: {
    password: "Password",
    totp: "Authenticator app",
    passkey: "Passkey",
    recovery_codes: "Recovery codes",
    email: "E-mail address",
    phone: "Phone number",
    backup_email: "Backup e-mail address",
    feishu: "Feishu",
  },
};
