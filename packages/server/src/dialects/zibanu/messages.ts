/** Languages in which the dialect answers. */
export type Language = "en" | "es" | "zh-CN";

/**
 * What the dialect says, by its English sentence, which is the original's. Spanish is the original's where it has one.
 * `{0}` is filled in.
 */
const MESSAGES: Readonly<Record<string, { es: string; "zh-CN": string }>> = {
  "No active account found with the given credentials": {
    es: "La combinación de credenciales no tiene una cuenta activa",
    "zh-CN": "没有与所给凭据匹配的可用账户",
  },
  "The user does not have associated profile.": {
    es: "El usuario no tiene un perfil asociado.",
    "zh-CN": "该用户没有关联的个人资料。",
  },
  "The user does not have allowed multiple login. Please close previous sessions.": {
    es: "El usuario no tiene permitido iniciar múltiples sesiones. Por favor cierre las sesiones abiertas previamente.",
    "zh-CN": "该用户不允许同时登录多处。请先关闭之前的会话。",
  },
  "Account temporarily locked due to failed login attempts.": {
    es: "La cuenta está bloqueada temporalmente por intentos fallidos.",
    "zh-CN": "登录失败次数过多，账户已被暂时锁定。",
  },
  "You're trying to refresh and invalid token.": {
    es: "Está tratando de refrescar un token inválido.",
    "zh-CN": "您正在尝试刷新无效的令牌。",
  },
  "This field is required.": { es: "Este campo es requerido.", "zh-CN": "该字段是必填项。" },
  "This field may not be blank.": {
    es: "Este campo no puede estar en blanco.",
    "zh-CN": "该字段不能为空。",
  },
  "This field may not be null.": { es: "Este campo no puede ser nulo.", "zh-CN": "该字段不能为 null。" },
  "Not a valid string.": { es: "No es una cadena válida.", "zh-CN": "不是有效的字符串。" },
  "Null characters are not allowed.": {
    es: "Los caracteres nulos no están permitidos.",
    "zh-CN": "不允许使用空字符。",
  },
  "Invalid data. Expected a dictionary, but got {0}.": {
    es: "Datos inválidos. Se esperaba un diccionario pero es un {0}.",
    "zh-CN": "无效数据。期望为字典，得到的是 {0}。",
  },
  "Ensure this field has no more than {0} characters.": {
    es: "Asegúrese de que este campo no tenga más de {0} caracteres.",
    "zh-CN": "请确保该字段不超过 {0} 个字符。",
  },
  "Ensure this value is less than or equal to {0}.": {
    es: "Asegúrese de que este valor es menor o igual a {0}.",
    "zh-CN": "请确保该值小于或等于 {0}。",
  },
  "Ensure this value is greater than or equal to {0}.": {
    es: "Asegúrese de que este valor es mayor o igual a {0}.",
    "zh-CN": "请确保该值大于或等于 {0}。",
  },
  "A valid integer is required.": {
    es: "Introduzca un número entero válido.",
    "zh-CN": "请填写合法的整数值。",
  },
  "Must be a valid boolean.": { es: "Debe ser un booleano válido.", "zh-CN": "必须是有效的布尔值。" },
  '"{0}" is not a valid choice.': { es: '"{0}" no es una elección válida.', "zh-CN": "“{0}” 不是合法选项。" },
  "Enter a valid email address.": {
    es: "Introduzca una dirección de correo electrónico válida.",
    "zh-CN": "请输入合法的邮件地址。",
  },
  "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.": {
    es: "Introduzca un nombre de usuario válido. Este valor puede contener únicamente letras, números y los caracteres @/./+/-/_ .",
    "zh-CN": "请输入合法的用户名。只能包含字母、数字以及 @/./+/-/_ 字符。",
  },
  "Email already in use": { es: "Email already in use", "zh-CN": "该邮箱已被使用" },
  "A user with that username already exists.": {
    es: "Ya existe un usuario con este nombre.",
    "zh-CN": "已存在一位使用该用户名的用户。",
  },
  "Enter a valid language.": { es: "Introduzca un idioma válido.", "zh-CN": "请输入有效的语言。" },
  'Invalid pk "{0}" - object does not exist.': {
    es: 'Clave primaria "{0}" inválida - objeto no existe.',
    "zh-CN": "无效主键 “{0}” － 对象不存在。",
  },
  'Expected a list of items but got type "{0}".': {
    es: 'Se esperaba una lista de elementos en vez del tipo "{0}".',
    "zh-CN": "期望为一个列表，得到的类型是 “{0}”。",
  },
  "Old/New password are required.": {
    es: "Las claves antigua y nueva son requeridas.",
    "zh-CN": "必须提供旧密码和新密码。",
  },
  "The old and new password must be different": {
    es: "La clave antigua y la nueva deben ser diferentes",
    "zh-CN": "新旧密码不能相同",
  },
  "Old password does not match.": { es: "La clave antigua no coincide.", "zh-CN": "旧密码不正确。" },
  "The password must contain lowercase, uppercase, digits and symbols.": {
    es: "La clave debe contener minúsculas, mayúsculas, dígitos y símbolos.",
    "zh-CN": "密码必须包含小写字母、大写字母、数字和符号。",
  },
  "Ensure this password has at least {0} characters.": {
    es: "Asegúrese de que esta clave tenga al menos {0} caracteres.",
    "zh-CN": "密码至少需要 {0} 个字符。",
  },
  "This password cannot be used. Choose another one.": {
    es: "Esta clave no se puede usar. Elija otra.",
    "zh-CN": "不能使用此密码，请换一个。",
  },
  "The password must be changed before signing in.": {
    es: "Debe cambiar la clave antes de ingresar.",
    "zh-CN": "登录前必须修改密码。",
  },
  "A second factor is required. Sign in on the hosted page.": {
    es: "Se requiere un segundo factor. Ingrese por la página de inicio de sesión.",
    "zh-CN": "需要第二重验证，请在登录页面登录。",
  },
  "Email is not registered or user is not active.": {
    es: "Email is not registered or user is not active.",
    "zh-CN": "该邮箱未注册或用户未启用。",
  },
  "Data required at request not found.": {
    es: "No se encontraron los datos requeridos en la solicitud.",
    "zh-CN": "请求中缺少必需的数据。",
  },
  "Invalid code.": { es: "Código inválido.", "zh-CN": "验证码无效。" },
  "You do not have permission to perform this action.": {
    es: "Usted no tiene permiso para realizar esta acción.",
    "zh-CN": "您没有执行该操作的权限。",
  },
  "The created user level cannot be higher than that of authenticated user.": {
    es: "The created user level cannot be higher than that of authenticated user.",
    "zh-CN": "所涉用户的级别不能高于当前用户。",
  },
  "'email' or 'id' not found in request data": {
    es: "'email' or 'id' not found in request data",
    "zh-CN": "请求数据中没有 'email' 或 'id'",
  },
  "User does not exist.": { es: "El usuario no existe.", "zh-CN": "用户不存在。" },
  "Error! There is not record matching.": {
    es: "Error! No existen registros que coincidan.",
    "zh-CN": "错误！没有匹配的记录。",
  },
  "Error! The data required not found.": {
    es: "Error! No se encontraron los datos requeridos.",
    "zh-CN": "错误！未找到所需的数据。",
  },
  "Cannot delete yourself.": { es: "No se puede eliminar a si mismo.", "zh-CN": "不能删除自己。" },
  "Only staff or superuser can delete another superuser or staff.": {
    es: "Solo los ejecutivos o super usuarios pueden eliminar a otro super usuario o ejecutivo.",
    "zh-CN": "只有管理人员或超级用户才能删除其他超级用户或管理人员。",
  },
  "User has protected child records. Cannot delete.": {
    es: "El usuario tiene registros protegidos. No se puede eliminar.",
    "zh-CN": "该用户有受保护的关联记录，不能删除。",
  },
  "Please upload a valid image.": {
    es: "Por favor cargue una imagen válida.",
    "zh-CN": "请上传有效的图片。",
  },
  "Upload a valid image. The file you uploaded was either not an image or a corrupted image.": {
    es: "Adjunte una imagen válida. El archivo adjunto o no es una imagen o es una imagen dañada.",
    "zh-CN": "请上传有效图片。您上传的文件不是图片或者图片已损坏。",
  },
  "The width or height of the file is invalid.": {
    es: "El ancho o el alto del archivo es inválido.",
    "zh-CN": "图片的宽度或高度无效。",
  },
  "The image has more than {0} bytes.": {
    es: "La imagen tiene más de {0} bytes.",
    "zh-CN": "图片超过 {0} 字节。",
  },
  "Authentication credentials were not provided.": {
    es: "Las credenciales de autenticación no se proveyeron.",
    "zh-CN": "身份认证信息未提供。",
  },
  "Authorization header must contain two space-delimited values": {
    es: "El encabezado 'Authorization' debe contener valores delimitados por espacios",
    "zh-CN": "授权头必须包含两个用空格分隔的值",
  },
  "Given token not valid for any token type": {
    es: "El token dado no es valido para ningun tipo de token",
    "zh-CN": "此令牌对任何类型的令牌无效",
  },
  "Token is invalid or expired": { es: "El token es inválido o ha expirado", "zh-CN": "令牌无效或已过期" },
  "Token is invalid": { es: "El token es inválido", "zh-CN": "令牌无效" },
  "Token is expired": { es: "El token ha expirado", "zh-CN": "令牌已过期" },
  "Token is blacklisted": { es: "El token está en lista negra", "zh-CN": "令牌已被列入黑名单" },
  "You cannot upgrade a user with a higher level.": {
    es: "No puede actualizar un usuario con un nivel superior.",
    "zh-CN": "不能修改级别更高的用户。",
  },
  "Cannot delete a user with a higher privilege level than yours.": {
    es: "No puede eliminar un usuario con un nivel de privilegios superior al suyo.",
    "zh-CN": "不能删除权限级别高于您的用户。",
  },
  "You are not allowed to change multiple logged in user's profile.": {
    es: "No tiene permitido cambiar el inicio de sesión múltiple del perfil.",
    "zh-CN": "您无权更改资料中的多处登录设置。",
  },
  "You are not allowed to change the secure password policy.": {
    es: "No tiene permitido cambiar la política de contraseña segura.",
    "zh-CN": "您无权更改安全密码策略。",
  },
  "Invalid Token": { es: "Token inválido", "zh-CN": "无效的令牌" },
  "Token has no type": { es: "El token no tiene tipo", "zh-CN": "令牌没有类型" },
  "Token has no '{0}' claim": { es: "El token no tiene el claim '{0}'", "zh-CN": "令牌没有声明 '{0}'" },
  "Token 'refresh_exp' claim has expired": {
    es: "El claim 'refresh_exp' del token ha expirado",
    "zh-CN": "令牌的声明 'refresh_exp' 已过期",
  },
  "Token contained no recognizable user identification": {
    es: "El token no contenía identificación de usuario reconocible",
    "zh-CN": "令牌不包含可识别的用户标识",
  },
  "Token has wrong type": { es: "El token tiene un tipo incorrecto", "zh-CN": "令牌类型错误" },
  'Method "{0}" not allowed.': { es: 'Método "{0}" no permitido.', "zh-CN": "方法 “{0}” 不被允许。" },
  'Unsupported media type "{0}" in request.': {
    es: 'Tipo de medio "{0}" incompatible en la solicitud.',
    "zh-CN": "不支持请求中的媒体类型 “{0}”。",
  },
  "Could not satisfy the request Accept header.": {
    es: "No se ha podido satisfacer la solicitud de cabecera de Accept.",
    "zh-CN": "无法满足 Accept HTTP 头的请求。",
  },
  "JSON parse error - the body is no valid JSON": {
    es: "JSON parse error - el cuerpo no es JSON válido",
    "zh-CN": "JSON 解析错误 - 请求体不是有效的 JSON",
  },
  "Not found.": { es: "No encontrado.", "zh-CN": "未找到。" },
  "Request was throttled.": { es: "Solicitud fue regulada.", "zh-CN": "请求超过了限速。" },
  "API Exception": { es: "Excepción tipo API", "zh-CN": "API 异常" },
  "Service temporarily unavailable, try again later.": {
    es: "Servicio temporalmente no disponible, intente más tarde.",
    "zh-CN": "服务暂时不可用，请稍后再试。",
  },
  "Menu ID is required": { es: "Menu ID is required", "zh-CN": "必须提供菜单 ID" },
  "Application not found": { es: "Aplicación no encontrada", "zh-CN": "应用不存在" },
  Superuser: { es: "Super Usuario", "zh-CN": "超级用户" },
  Staff: { es: "Ejecutivos", "zh-CN": "管理人员" },
  "Super Administrator": { es: "Super Administrador", "zh-CN": "超级管理员" },
  Administrator: { es: "Administrador", "zh-CN": "管理员" },
  Supervisor: { es: "Supervisor", "zh-CN": "主管" },
  Operator: { es: "Operador", "zh-CN": "操作员" },
  Guest: { es: "Invitado", "zh-CN": "访客" },
};

/** A sentence that may be said in any of the languages. */
export interface Sentence {
  text: string;
  values: readonly (string | number)[];
  /** The field that it is about: their texts begin with its name. */
  field?: string;
}

export function say(text: string, ...values: (string | number)[]): Sentence {
  return { text, values };
}

/** The same about a field. */
export function about(field: string, sentence: Sentence): Sentence {
  return { ...sentence, field };
}

export function inLanguage(language: Language, { text, values, field }: Sentence): string {
  const found = (language === "en" ? undefined : MESSAGES[text]?.[language]) ?? text;
  const filled = found.replaceAll(/\{(\d)\}/g, (all, index: string) => String(values[Number(index)] ?? all));
  return field === undefined ? filled : `${field}: ${filled}`;
}

/** The first language of an Accept-Language header that is one of ours; English when there is none. */
export function languageOf(setting: Language | "automatic", header: string | undefined): Language {
  if (setting !== "automatic") return setting;
  if (header === undefined) return "en";
  const wanted = header.slice(0, 200).split(",").map(weighted);
  for (const { tag } of wanted.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight)) {
    if (tag.startsWith("es")) return "es";
    if (tag.startsWith("zh")) return "zh-CN";
    if (tag.startsWith("en")) return "en";
  }
  return "en";
}

function weighted(part: string): { tag: string; weight: number } {
  const [tag = "", q] = part
    .trim()
    .toLowerCase()
    .split(/;\s*q=/);
  const weight = q === undefined ? 1 : Number(q);
  return { tag, weight: Number.isFinite(weight) ? weight : 0 };
}
