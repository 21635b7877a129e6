export default {
  title: 'Chatea con nosotros', greeting: '¡Hola! ¿En qué podemos ayudar?', about: 'Escríbenos. Respondemos aquí mismo.',
  name: 'Tu nombre', email: 'Correo electrónico', optional: 'opcional', message: 'Mensaje', write: 'Escribe un mensaje',
  reopen: 'Escribe para continuar este chat', start: 'Empezar', send: 'Enviar', close: 'Cerrar la ventana', end: 'Terminar',
  endSure: '¿Terminar este chat?', keep: 'Dejarlo abierto', waiting: 'Esperando a un agente', place: 'Eres el número {0} de la cola',
  next: 'Eres el siguiente', with: 'Estás hablando con {0}', typing: '{0} está escribiendo', closed: 'Este chat ha terminado',
  joined: '{0} se ha unido', left: '{0} ha salido', began: 'El chat ha empezado', moved: 'Te atiende ahora otro equipo', you: 'Tú',
  agent: 'Agente', seen: 'Leído', sending: 'Enviando', unsent: 'No enviado', again: 'Intentar de nuevo', discard: 'Descartar',
  offline: 'Sin conexión. Lo que escribas se guarda y se envía después.', loading: 'Cargando', messages: 'Mensajes',
  failed: 'No ha funcionado. Inténtalo de nuevo.', empty: 'Escribe un mensaje.',
  invalidEmail: 'No es una dirección de correo.', tooMany: 'Demasiados mensajes a la vez. El tuyo se enviará en un momento.',
};
