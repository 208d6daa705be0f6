import type { Catalogue } from "./catalogue.ts";

const UNASKED = "Si no lo ha pedido usted, ignore este mensaje. No comparta el código con nadie.";
const NOT_YOU =
  "Si no ha sido usted, cambie su contraseña y cierre la sesión en todos los dispositivos:\n{{site}}/account";

export const es: Catalogue = {
  footer: "{{brand}} · {{site}}",
  messages: {
    "sign-in-code": {
      subject: "{{code}} es su código para {{brand}}",
      text: `Su código para iniciar sesión:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED}`,
      sms: "{{code}} es su código para iniciar sesión en {{brand}}. Válido {{minutes}} minutos. No lo comparta con nadie.",
    },
    "magic-link": {
      subject: "Su enlace para iniciar sesión en {{brand}}",
      text: "Abra este enlace en el navegador en el que lo pidió:\n\n{{link}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\nSi no lo ha pedido usted, ignore este mensaje.",
    },
    "reset-code": {
      subject: "{{code}} es su código para una contraseña nueva en {{brand}}",
      text: `Su código para elegir una contraseña nueva:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED} Su contraseña no cambia.`,
      sms: "{{code}} es su código para una contraseña nueva en {{brand}}. Válido {{minutes}} minutos. No lo comparta con nadie.",
    },
    "reset-link": {
      subject: "Una contraseña nueva para {{brand}}",
      text: "Para elegir una contraseña nueva, abra este enlace:\n\n{{link}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos. Hasta entonces su contraseña no cambia.\n\nSi no lo ha pedido usted, ignore este mensaje.",
    },
    "new-password": {
      subject: "Su contraseña de {{brand}}",
      text: "Su contraseña:\n\n{{password}}\n\nCámbiela cuando haya iniciado sesión.",
    },
    "unlock-code": {
      subject: "{{code}} es su código para desbloquear su cuenta de {{brand}}",
      text: `Su código para desbloquear su cuenta:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED}`,
      sms: "{{code}} es su código para desbloquear su cuenta de {{brand}}. Válido {{minutes}} minutos.",
    },
    "verify-email": {
      subject: "{{code}} es su código para confirmar esta dirección en {{brand}}",
      text: `Su código para confirmar esta dirección de correo:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED}`,
    },
    "verify-phone": {
      subject: "{{code}} es su código para confirmar un teléfono en {{brand}}",
      text: `Su código para confirmar un número de teléfono:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED}`,
      sms: "{{code}} es su código para confirmar este número en {{brand}}. Válido {{minutes}} minutos.",
    },
    "change-email-old": {
      subject: "{{code}} es su código para cambiar su correo en {{brand}}",
      text: `Alguien pide cambiar la dirección de correo de su cuenta de esta a {{address}}. Para permitirlo, escriba este código:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\nSi no ha sido usted, no comparta el código con nadie y cambie su contraseña:\n{{site}}/account`,
    },
    "change-email-new": {
      subject: "{{code}} es su código para confirmar su nueva dirección en {{brand}}",
      text: `Su código para confirmar su nueva dirección de correo:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED}`,
    },
    "change-phone-old": {
      subject: "{{code}} es su código para cambiar su teléfono en {{brand}}",
      text: `Alguien pide cambiar el número de teléfono de su cuenta a {{address}}. Para permitirlo, escriba este código:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\nSi no ha sido usted, no comparta el código con nadie y cambie su contraseña:\n{{site}}/account`,
      sms: "{{code}} permite cambiar su teléfono en {{brand}} a {{address}}. ¿No ha sido usted? No lo comparta con nadie.",
    },
    "change-phone-new": {
      subject: "{{code}} es su código para confirmar su nuevo teléfono en {{brand}}",
      text: `Su código para confirmar su nuevo número de teléfono:\n\n{{code}}\n\nSe puede usar una sola vez, durante {{minutes}} minutos.\n\n${UNASKED}`,
      sms: "{{code}} es su código para confirmar este número en {{brand}}. Válido {{minutes}} minutos.",
    },
    "identifier-changed": {
      subject: "Su cuenta de {{brand}} tiene una dirección nueva",
      text: "Desde el {{time}} su cuenta usa {{address}}. Aquí ya no llegan mensajes.\n\nSi no ha sido usted, avise enseguida a quienes administran {{brand}}.",
      sms: "Su cuenta de {{brand}} usa ahora {{address}}. ¿No ha sido usted? Avise enseguida al administrador.",
    },
    "username-changed": {
      subject: "Su nombre de usuario en {{brand}} ha cambiado",
      text: `Desde el {{time}} su nombre de usuario es:\n\n{{username}}\n\n${NOT_YOU}`,
      sms: "Su nombre de usuario en {{brand}} es ahora {{username}}. ¿No ha sido usted? Cambie su contraseña.",
    },
    "new-device": {
      subject: "Nuevo inicio de sesión en su cuenta de {{brand}}",
      text: `Su cuenta se ha usado en un dispositivo que no conocíamos:\n\n{{device}}\n{{ip}}\n{{time}}\n\nSi ha sido usted, no tiene que hacer nada. ${NOT_YOU}`,
      sms: "Nuevo inicio de sesión en {{brand}}: {{device}}, {{ip}}. ¿No ha sido usted? Cambie su contraseña.",
    },
    "factor-added": {
      subject: "Nueva forma de iniciar sesión en su cuenta de {{brand}}",
      text: `El {{time}} se añadió a su cuenta: {{factor}}.\n\n${NOT_YOU}`,
      sms: "Añadido a su cuenta de {{brand}}: {{factor}}. ¿No ha sido usted? Cambie su contraseña.",
    },
    "factor-removed": {
      subject: "Se ha quitado una forma de iniciar sesión en su cuenta de {{brand}}",
      text: `El {{time}} se quitó de su cuenta: {{factor}}.\n\n${NOT_YOU}`,
      sms: "Quitado de su cuenta de {{brand}}: {{factor}}. ¿No ha sido usted? Cambie su contraseña.",
    },
    "password-changed": {
      subject: "Su contraseña de {{brand}} ha cambiado",
      text: "La contraseña de su cuenta se cambió el {{time}}.\n\nSi no ha sido usted, elija enseguida otra con «¿Olvidó su contraseña?»:\n{{site}}/sign-in",
      sms: "Su contraseña de {{brand}} ha cambiado. ¿No ha sido usted? Elija otra enseguida: {{site}}/sign-in",
    },
    "recovery-used": {
      subject: "Se ha usado un código de recuperación de su cuenta de {{brand}}",
      text: `Se usó un código de recuperación el {{time}}. Le quedan {{left}}.\n\n${NOT_YOU}`,
      sms: "Se ha usado un código de recuperación de {{brand}}. ¿No ha sido usted? Cambie su contraseña.",
    },
    locked: {
      subject: "Su cuenta de {{brand}} está bloqueada {{minutes}} minutos",
      text: "Se introdujo demasiadas veces una contraseña o un código erróneos, la última desde {{ip}}. Nadie puede iniciar sesión con ellos durante {{minutes}} minutos, tampoco usted.\n\nSi no ha sido usted, su contraseña ha impedido la entrada. Elija otra si alguien puede conocerla:\n{{site}}/account",
      sms: "Su cuenta de {{brand}} está bloqueada {{minutes}} minutos: demasiadas contraseñas o códigos erróneos.",
    },
    invitation: {
      subject: "Invitación a {{organization}}",
      text: "Se le invita a {{organization}} en {{brand}}. Para aceptar, abra este enlace:\n\n{{link}}\n\nSe puede usar una sola vez, durante {{days}} días.\n\nSi no esperaba esta invitación, ignore este mensaje.",
    },
    "account-linked": {
      subject: "Su cuenta de {{brand}} se ha vinculado",
      text: `Su cuenta se vinculó con {{provider}} el {{time}}. Ya puede usar ese servicio para iniciar sesión.\n\n${NOT_YOU}`,
      sms: "Su cuenta de {{brand}} se ha vinculado con {{provider}}. ¿No ha sido usted? Cambie su contraseña.",
    },
    welcome: {
      subject: "Su cuenta de {{brand}}",
      text: "Hay una cuenta para usted en {{brand}}. Su nombre de usuario:\n\n{{username}}\n\nPara elegir una contraseña, abra este enlace:\n\n{{link}}\n\nSe puede usar una sola vez, durante {{days}} días.",
    },
  },
  words: {
    password: "Contraseña",
    totp: "Aplicación de autenticación",
    passkey: "Llave de acceso",
    recovery_codes: "Códigos de recuperación",
    email: "Dirección de correo",
    phone: "Número de teléfono",
    backup_email: "Correo de respaldo",
    feishu: "Feishu",
  },
};
